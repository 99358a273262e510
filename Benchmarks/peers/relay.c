// The least that a relay can do, as a limit to measure against: one thread, one endpoint, no balancing, no timeouts, no
// limits, no counters, no log.
//
// TCP: edge-triggered epoll with both sockets added once; a read that gives less than asked for has emptied the socket;
// half-close is passed on; after three large reads the rest of that direction goes by splice through a pipe of 1 MiB, which
// took 0.7 to 0.85 of the CPU that one of 256 KiB did; bytes that come while others wait are told of once. To gather more
// before it writes, or to move more in one event, did not help.
// UDP: a connected socket for each client, recvmmsg and sendmmsg, UDP_GRO and UDP_SEGMENT.
//
// relay LISTEN_IP LISTEN_PORT ENDPOINT_IP ENDPOINT_PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, SCRATCH = 256 << 10, PIPE = 1 << 20, LARGE = 64 << 10, LARGE_READS = 3, TURNS = 8 };
enum { BATCH = 64, SIZE = 65536, TABLE = 65536, SEGMENT = 103, GRO = 104, LEVEL_UDP = 17 };
enum kind { TCP_LISTENER, TCP_SIDE, UDP_LISTENER, UDP_FLOW };

static struct sockaddr_in listen_at, endpoint;
static int epoll_fd;
static const int one = 1;

static void watch(int how, int fd, uint32_t events, void *owner) {
  struct epoll_event event = {.events = events, .data.ptr = owner};
  epoll_ctl(epoll_fd, how, fd, &event);
}

static void add(int fd, uint32_t events, void *owner) { watch(EPOLL_CTL_ADD, fd, events, owner); }

// ---- TCP

// One socket of a connection, and what was read from it but not yet written to the other.
struct side {
  enum kind kind;
  int fd;
  struct side *other;
  struct pair *pair;
  // Bytes that the other's socket did not take.
  char *rest;
  size_t offset, length;
  // The pipe of a direction in bulk, and how much is in it.
  int pipe[2];
  size_t piped;
  int large_reads;
  char is_spliced, is_ended, is_shut, is_listed, is_muted;
};

struct pair {
  struct side client, server;
  struct pair *next_closed;
  char is_closed;
};

static char scratch[SCRATCH];
static enum kind tcp_kind = TCP_LISTENER;
static int tcp_listener;
static struct pair *closed;
// Sides that had more to read when others had their turn.
static struct side *again[65536];
static int again_count;

static void close_pair(struct pair *pair) {
  if (pair->is_closed) return;
  pair->is_closed = 1;
  struct side *sides[] = {&pair->client, &pair->server};
  for (int i = 0; i < 2; i++) {
    close(sides[i]->fd);
    free(sides[i]->rest);
    if (sides[i]->is_spliced) close(sides[i]->pipe[0]), close(sides[i]->pipe[1]);
  }
  // An event of this turn may still point at it.
  pair->next_closed = closed;
  closed = pair;
}

static void free_closed(void) {
  while (closed) {
    struct pair *next = closed->next_closed;
    if (closed->client.is_listed || closed->server.is_listed) return;
    free(closed);
    closed = next;
  }
}

// The end of one direction: told to the other side, unless that was all.
static void end_of(struct side *from) {
  from->is_ended = 1;
  if (from->length || from->piped) return;
  if (from->other->is_ended && !from->other->length && !from->other->piped) return close_pair(from->pair);
  if (!from->is_shut) shutdown(from->other->fd, SHUT_WR);
  from->is_shut = 1;
}

// Writes what waits; 1 when nothing waits any more.
static int drained(struct side *from) {
  while (from->piped) {
    ssize_t count = splice(from->pipe[0], NULL, from->other->fd, NULL, from->piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (count <= 0) {
      if (count < 0 && errno != EAGAIN) close_pair(from->pair);
      return 0;
    }
    from->piped -= count;
  }
  while (from->length) {
    ssize_t count = send(from->other->fd, from->rest + from->offset, from->length, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN && errno != ENOTCONN) close_pair(from->pair);
      return 0;
    }
    from->offset += count;
    from->length -= count;
    if (!from->length) free(from->rest), from->rest = NULL;
  }
  if (from->is_ended) end_of(from);
  return !from->pair->is_closed;
}

static void keep(struct side *from, size_t from_offset, size_t length) {
  from->rest = malloc(length);
  memcpy(from->rest, scratch + from_offset, length);
  from->offset = 0;
  from->length = length;
}

// Moves bytes until the source is empty or the destination full; `is_ending` says that a FIN has been seen.
static void move(struct side *from, int is_ending) {
  for (int turn = 0; turn < TURNS; turn++) {
    if (from->is_spliced) {
      ssize_t count = splice(from->fd, NULL, from->pipe[1], NULL, PIPE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (count == 0) return end_of(from);
      // The pipe was empty: it is the socket that has nothing.
      if (count < 0) return errno == EAGAIN ? (void)0 : close_pair(from->pair);
      from->piped = count;
      if (!drained(from)) return;
      continue;
    }
    ssize_t count = recv(from->fd, scratch, SCRATCH, 0);
    if (count == 0) return end_of(from);
    if (count < 0) return errno == EAGAIN || errno == ENOTCONN ? (void)0 : close_pair(from->pair);
    ssize_t sent = send(from->other->fd, scratch, count, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != ENOTCONN) return close_pair(from->pair);
      sent = 0;
    }
    from->large_reads = count >= LARGE ? from->large_reads + 1 : 0;
    if (from->large_reads == LARGE_READS && pipe2(from->pipe, O_NONBLOCK) == 0) {
      fcntl(from->pipe[1], F_SETPIPE_SZ, PIPE);
      from->is_spliced = 1;
    }
    if (sent < count) return keep(from, sent, count - sent);
    // Less than asked for: the socket is empty, the next bytes are a new edge. A FIN is there to be read.
    if (count < SCRATCH && !is_ending) return;
  }
  if (!from->is_listed) {
    from->is_listed = 1;
    again[again_count++] = from;
  }
}

static void relay(struct side *from, int is_ending) {
  if (from->pair->is_closed || from->is_ended) return;
  if (from->piped || from->length) {
    // Each segment would be an event for nothing.
    if (!from->is_muted) watch(EPOLL_CTL_MOD, from->fd, EPOLLOUT | EPOLLRDHUP | EPOLLET, from);
    from->is_muted = 1;
    return;
  }
  move(from, is_ending);
  if (!from->is_muted || from->pair->is_closed || from->is_ended || from->piped || from->length) return;
  watch(EPOLL_CTL_MOD, from->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, from);
  from->is_muted = 0;
}

static void side_event(struct side *side, uint32_t events) {
  if (side->pair->is_closed) return;
  if (events & EPOLLOUT && (side->other->piped || side->other->length) && drained(side->other)) relay(side->other, 1);
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR)) relay(side, (events & (EPOLLRDHUP | EPOLLERR)) != 0);
}

static void turn_again(void) {
  int count = again_count;
  static struct side *now[65536];
  memcpy(now, again, count * sizeof *now);
  again_count = 0;
  for (int i = 0; i < count; i++) {
    now[i]->is_listed = 0;
    relay(now[i], 1);
  }
}

static void accept_all(void) {
  for (;;) {
    int fd = accept4(tcp_listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    struct pair *pair = calloc(1, sizeof *pair);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    pair->client = (struct side){.kind = TCP_SIDE, .fd = fd, .other = &pair->server, .pair = pair};
    pair->server = (struct side){.kind = TCP_SIDE, .fd = server, .other = &pair->client, .pair = pair};
    if (connect(server, (struct sockaddr *)&endpoint, sizeof endpoint) != 0 && errno != EINPROGRESS) {
      close_pair(pair);
      continue;
    }
    add(server, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair->server);
    add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair->client);
  }
}

// ---- UDP

struct flow {
  enum kind kind;
  struct sockaddr_in client;
  int fd;
};

static enum kind udp_kind = UDP_LISTENER;
static struct flow flows[TABLE];
static int udp_listener, queued;
static char in_data[BATCH][SIZE], out_data[BATCH][SIZE], in_control[BATCH][64], out_control[BATCH][64];
static struct mmsghdr in[BATCH], out[BATCH];
static struct iovec in_io[BATCH], out_io[BATCH];
static struct sockaddr_in in_peer[BATCH];

static struct flow *flow_of(const struct sockaddr_in *client) {
  uint32_t hash = (client->sin_addr.s_addr * 2654435761u) ^ (client->sin_port * 40503u);
  for (uint32_t i = hash % TABLE;; i = (i + 1) % TABLE) {
    struct flow *flow = &flows[i];
    if (flow->fd && flow->client.sin_port == client->sin_port && flow->client.sin_addr.s_addr == client->sin_addr.s_addr)
      return flow;
    if (flow->fd) continue;
    *flow = (struct flow){.kind = UDP_FLOW, .client = *client, .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
    int room = 1 << 20;
    setsockopt(flow->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(flow->fd, LEVEL_UDP, GRO, &one, sizeof one);
    connect(flow->fd, (struct sockaddr *)&endpoint, sizeof endpoint);
    add(flow->fd, EPOLLIN, flow);
    return flow;
  }
}

static uint16_t segment_of(struct msghdr *header) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
    if (c->cmsg_level == LEVEL_UDP && c->cmsg_type == GRO) return (uint16_t)*(int *)CMSG_DATA(c);
  return 0;
}

static void set_segment(struct msghdr *header, char *control, uint16_t segment) {
  header->msg_control = NULL;
  header->msg_controllen = 0;
  if (!segment) return;
  header->msg_control = control;
  header->msg_controllen = CMSG_SPACE(sizeof segment);
  struct cmsghdr *c = CMSG_FIRSTHDR(header);
  *c = (struct cmsghdr){.cmsg_level = LEVEL_UDP, .cmsg_type = SEGMENT, .cmsg_len = CMSG_LEN(sizeof segment)};
  memcpy(CMSG_DATA(c), &segment, sizeof segment);
}

static void from_clients(void) {
  // Only those that were used have to be made ready again.
  static int used = BATCH;
  for (int i = 0; i < used; i++) {
    in_io[i] = (struct iovec){in_data[i], SIZE};
    in[i].msg_hdr = (struct msghdr){.msg_name = &in_peer[i], .msg_namelen = sizeof in_peer[i], .msg_iov = &in_io[i],
                                    .msg_iovlen = 1, .msg_control = in_control[i], .msg_controllen = 64};
  }
  int count = recvmmsg(udp_listener, in, BATCH, MSG_DONTWAIT, NULL);
  used = count > 0 ? count : 0;
  for (int i = 0; i < count; i++) {
    struct flow *flow = flow_of(&in_peer[i]);
    uint16_t segment = segment_of(&in[i].msg_hdr);
    if (!segment) {
      send(flow->fd, in_data[i], in[i].msg_len, MSG_DONTWAIT);
      continue;
    }
    in_io[i].iov_len = in[i].msg_len;
    struct msghdr header = {.msg_iov = &in_io[i], .msg_iovlen = 1};
    set_segment(&header, in_control[i], segment);
    sendmsg(flow->fd, &header, MSG_DONTWAIT);
  }
}

static void flush(void) {
  for (int done = 0; done < queued;) {
    int sent = sendmmsg(udp_listener, out + done, queued - done, MSG_DONTWAIT);
    done += sent > 0 ? sent : 1;
  }
  queued = 0;
}

static void from_endpoint(struct flow *flow) {
  if (queued == BATCH) flush();
  out_io[queued] = (struct iovec){out_data[queued], SIZE};
  struct msghdr *header = &out[queued].msg_hdr;
  *header = (struct msghdr){.msg_iov = &out_io[queued], .msg_iovlen = 1, .msg_control = out_control[queued],
                            .msg_controllen = 64};
  ssize_t received = recvmsg(flow->fd, header, MSG_DONTWAIT);
  if (received < 0) return;
  uint16_t segment = segment_of(header);
  out_io[queued].iov_len = received;
  header->msg_name = &flow->client;
  header->msg_namelen = sizeof flow->client;
  set_segment(header, out_control[queued], segment && segment < received ? segment : 0);
  queued++;
}

// ---- both

static int listening(int type) {
  int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), room = 8 << 20;
  if (type == SOCK_STREAM) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    // Inherited by what is accepted.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  } else {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(fd, LEVEL_UDP, GRO, &one, sizeof one);
  }
  if (bind(fd, (struct sockaddr *)&listen_at, sizeof listen_at) != 0) perror("bind"), exit(3);
  if (type == SOCK_STREAM && listen(fd, 4096) != 0) perror("listen"), exit(3);
  return fd;
}

int main(int count, char **words) {
  if (count != 5) return fprintf(stderr, "relay LISTEN_IP LISTEN_PORT ENDPOINT_IP ENDPOINT_PORT\n"), 2;
  signal(SIGPIPE, SIG_IGN);
  listen_at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
  endpoint = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[4]))};
  inet_aton(words[1], &listen_at.sin_addr);
  inet_aton(words[3], &endpoint.sin_addr);
  epoll_fd = epoll_create1(0);
  tcp_listener = listening(SOCK_STREAM);
  udp_listener = listening(SOCK_DGRAM);
  add(tcp_listener, EPOLLIN | EPOLLET, &tcp_kind);
  add(udp_listener, EPOLLIN, &udp_kind);
  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_wait(epoll_fd, events, EVENTS, again_count ? 0 : -1);
    for (int i = 0; i < ready; i++) {
      switch (*(enum kind *)events[i].data.ptr) {
      case TCP_LISTENER: accept_all(); break;
      case TCP_SIDE: side_event(events[i].data.ptr, events[i].events); break;
      case UDP_LISTENER: from_clients(); break;
      case UDP_FLOW: from_endpoint(events[i].data.ptr); break;
      }
    }
    if (again_count) turn_again();
    if (queued) flush();
    free_closed();
  }
}
