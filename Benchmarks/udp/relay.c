// The least that a UDP relay can do, as a limit to measure against: one thread, one endpoint, a connected socket for each
// client, recvmmsg and sendmmsg, UDP_GRO and UDP_SEGMENT. No limits, no timeouts, no counters, no second endpoint.
//
// relay LISTEN_IP LISTEN_PORT ENDPOINT_IP ENDPOINT_PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 65536, TABLE = 65536, SEGMENT = 103, GRO = 104 };

struct flow {
  struct sockaddr_in client;
  int fd;
};

static struct flow flows[TABLE];
static struct sockaddr_in listen_at, endpoint;
static int epoll_fd, listener;
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
    flow->client = *client;
    flow->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int one = 1, room = 1 << 20;
    setsockopt(flow->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(flow->fd, SOL_UDP, GRO, &one, sizeof one);
    connect(flow->fd, (struct sockaddr *)&endpoint, sizeof endpoint);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = flow};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, flow->fd, &event);
    return flow;
  }
}

static uint16_t segment_of(struct msghdr *header) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
    if (c->cmsg_level == SOL_UDP && c->cmsg_type == GRO) return (uint16_t)*(int *)CMSG_DATA(c);
  return 0;
}

static void set_segment(struct msghdr *header, char *control, uint16_t segment) {
  header->msg_control = NULL;
  header->msg_controllen = 0;
  if (!segment) return;
  header->msg_control = control;
  header->msg_controllen = CMSG_SPACE(sizeof segment);
  struct cmsghdr *c = CMSG_FIRSTHDR(header);
  *c = (struct cmsghdr){.cmsg_level = SOL_UDP, .cmsg_type = SEGMENT, .cmsg_len = CMSG_LEN(sizeof segment)};
  memcpy(CMSG_DATA(c), &segment, sizeof segment);
}

static void from_clients(void) {
  for (int i = 0; i < BATCH; i++) {
    in_io[i] = (struct iovec){in_data[i], SIZE};
    in[i].msg_hdr = (struct msghdr){.msg_name = &in_peer[i], .msg_namelen = sizeof in_peer[i], .msg_iov = &in_io[i],
                                    .msg_iovlen = 1, .msg_control = in_control[i], .msg_controllen = 64};
  }
  int count = recvmmsg(listener, in, BATCH, MSG_DONTWAIT, NULL);
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

static int queued;

static void flush(void) {
  for (int done = 0; done < queued;) {
    int sent = sendmmsg(listener, out + done, queued - done, MSG_DONTWAIT);
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

int main(int count, char **words) {
  if (count != 5) return fprintf(stderr, "relay LISTEN_IP LISTEN_PORT ENDPOINT_IP ENDPOINT_PORT\n"), 2;
  listen_at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
  endpoint = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[4]))};
  inet_aton(words[1], &listen_at.sin_addr);
  inet_aton(words[3], &endpoint.sin_addr);
  epoll_fd = epoll_create1(0);
  listener = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  int one = 1, room = 8 << 20;
  setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  setsockopt(listener, SOL_UDP, GRO, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&listen_at, sizeof listen_at) != 0) return perror("bind"), 3;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
  struct epoll_event events[BATCH];
  for (;;) {
    int ready = epoll_wait(epoll_fd, events, BATCH, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.ptr) from_endpoint(events[i].data.ptr); else from_clients();
    }
    flush();
  }
}
