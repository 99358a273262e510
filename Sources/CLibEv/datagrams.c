#define _GNU_SOURCE
#include "CDatagrams.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { SLOT_SIZE = 65536, CONTROL_SIZE = 128, MOST_SEGMENTS = 64, MOST_BYTES = 65507 };

struct cdatagram_batch {
  int count;
  uint8_t *memory;
  struct cdatagram_slot *slots;
  /// To send with: made anew for each call.
  struct mmsghdr *messages;
  struct iovec *pieces;
  /// To receive with: always ready, as the kernel changes only what it fills.
  struct mmsghdr *receive_messages;
  struct iovec *receive_pieces;
  uint8_t (*controls)[CONTROL_SIZE];
};

/// Says again how much room a header has, after the kernel has said how much of it is used.
static void offer_room(struct msghdr *header) {
  header->msg_namelen = sizeof(struct sockaddr_in6);
  header->msg_controllen = CONTROL_SIZE;
}

struct cdatagram_batch *cdatagram_batch_new(int count) {
  struct cdatagram_batch *batch = calloc(1, sizeof *batch);
  if (!batch) return NULL;
  batch->count = count;
  batch->memory =
      mmap(NULL, (size_t)count * SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (batch->memory == MAP_FAILED) {
    free(batch);
    return NULL;
  }
  batch->slots = calloc(count, sizeof *batch->slots);
  batch->messages = calloc(count, sizeof *batch->messages);
  batch->pieces = calloc(count, sizeof *batch->pieces);
  batch->receive_messages = calloc(count, sizeof *batch->receive_messages);
  batch->receive_pieces = calloc(count, sizeof *batch->receive_pieces);
  batch->controls = calloc(count, sizeof *batch->controls);
  if (!batch->slots || !batch->messages || !batch->pieces || !batch->receive_messages || !batch->receive_pieces ||
      !batch->controls) {
    cdatagram_batch_free(batch);
    return NULL;
  }
  for (int i = 0; i < count; i++) {
    batch->slots[i].data = batch->memory + (size_t)i * SLOT_SIZE;
    batch->receive_pieces[i] = (struct iovec){.iov_base = batch->slots[i].data, .iov_len = SLOT_SIZE};
    struct msghdr *header = &batch->receive_messages[i].msg_hdr;
    header->msg_name = &batch->slots[i].peer;
    header->msg_iov = &batch->receive_pieces[i];
    header->msg_iovlen = 1;
    header->msg_control = batch->controls[i];
    offer_room(header);
  }
  return batch;
}

void cdatagram_batch_free(struct cdatagram_batch *batch) {
  munmap(batch->memory, (size_t)batch->count * SLOT_SIZE);
  free(batch->slots);
  free(batch->messages);
  free(batch->pieces);
  free(batch->receive_messages);
  free(batch->receive_pieces);
  free(batch->controls);
  free(batch);
}

struct cdatagram_slot *cdatagram_slot_at(struct cdatagram_batch *batch, int index) { return &batch->slots[index]; }

static void read_control(struct cdatagram_slot *slot, struct msghdr *header) {
  slot->segment = 0;
  slot->has_dropped = 0;
  slot->local_family = 0;
  slot->is_truncated = (header->msg_flags & MSG_TRUNC) != 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
      int size;
      memcpy(&size, CMSG_DATA(c), sizeof size);
      if (size > 0 && (uint32_t)size < slot->length) slot->segment = (uint32_t)size;
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      memcpy(&slot->dropped, CMSG_DATA(c), sizeof slot->dropped);
      slot->has_dropped = 1;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      memset(&slot->local, 0, sizeof slot->local);
      memcpy(&slot->local, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
      slot->local_family = 4;
      slot->local_interface = 0;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      slot->local = info.ipi6_addr;
      slot->local_family = 6;
      slot->local_interface = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
    }
  }
}

int cdatagram_receive_one(struct cdatagram_batch *batch, int fd, int index) {
  struct cdatagram_slot *slot = &batch->slots[index];
  // Sending may have moved it.
  slot->data = batch->memory + (size_t)index * SLOT_SIZE;
  ssize_t received = recv(fd, slot->data, SLOT_SIZE, MSG_DONTWAIT | MSG_TRUNC);
  if (received < 0) return -1;
  slot->length = received > SLOT_SIZE ? SLOT_SIZE : (uint32_t)received;
  slot->segment = 0;
  slot->has_dropped = 0;
  slot->is_truncated = received > SLOT_SIZE;
  return 1;
}

int cdatagram_receive(struct cdatagram_batch *batch, int fd, int first, int count) {
  int received = recvmmsg(fd, batch->receive_messages + first, count, MSG_DONTWAIT, NULL);
  for (int i = first; i < first + received; i++) {
    struct cdatagram_slot *slot = &batch->slots[i];
    struct msghdr *header = &batch->receive_messages[i].msg_hdr;
    // Sending may have moved it.
    slot->data = batch->memory + (size_t)i * SLOT_SIZE;
    slot->length = batch->receive_messages[i].msg_len;
    slot->peer_length = header->msg_namelen;
    read_control(slot, header);
    offer_room(header);
  }
  return received;
}

int cdatagram_same_peer(const struct cdatagram_slot *a, const struct cdatagram_slot *b) {
  return a->peer_length == b->peer_length && memcmp(&a->peer, &b->peer, a->peer_length) == 0 &&
         a->local_family == b->local_family &&
         (!a->local_family || memcmp(&a->local, &b->local, sizeof a->local) == 0);
}

/// How many slots from `first` can leave as one message: equal sizes, the last one shorter or equal.
static int run_length(const struct cdatagram_batch *batch, int first, int count, int to_peer, int segment_limit) {
  const struct cdatagram_slot *head = &batch->slots[first];
  if (head->segment || head->length == 0 || head->length > (uint32_t)segment_limit) return 1;
  uint32_t total = head->length;
  int n = 1;
  while (n < count && n < MOST_SEGMENTS) {
    const struct cdatagram_slot *next = &batch->slots[first + n];
    if (next->segment || next->length == 0 || next->length > head->length || total + next->length > MOST_BYTES) break;
    if (to_peer && !cdatagram_same_peer(head, next)) break;
    total += next->length;
    n++;
    if (next->length < head->length) break;
  }
  return n;
}

static void *add_control(struct msghdr *header, int level, int type, size_t size) {
  struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)header->msg_control + header->msg_controllen);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(size);
  header->msg_controllen += CMSG_SPACE(size);
  return CMSG_DATA(c);
}

/// Where a message goes, and from which of this host's addresses.
static void address(struct msghdr *header, struct cdatagram_slot *slot) {
  header->msg_name = &slot->peer;
  header->msg_namelen = slot->peer_length;
  if (slot->local_family == 4) {
    struct in_pktinfo info = {0};
    memcpy(&info.ipi_spec_dst, &slot->local, sizeof info.ipi_spec_dst);
    memcpy(add_control(header, IPPROTO_IP, IP_PKTINFO, sizeof info), &info, sizeof info);
  } else if (slot->local_family == 6) {
    struct in6_pktinfo info = {.ipi6_addr = slot->local, .ipi6_ifindex = slot->local_interface};
    memcpy(add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, sizeof info), &info, sizeof info);
  }
}

/// Fills message `m` with `run` slots from `first`; returns the size of its segments, 0 without.
static uint16_t fill(struct cdatagram_batch *batch, int m, int first, int run, int to_peer) {
  struct cdatagram_slot *head = &batch->slots[first];
  for (int i = first; i < first + run; i++)
    batch->pieces[i] = (struct iovec){.iov_base = batch->slots[i].data, .iov_len = batch->slots[i].length};
  struct msghdr *header = &batch->messages[m].msg_hdr;
  *header = (struct msghdr){
      .msg_iov = &batch->pieces[first], .msg_iovlen = run, .msg_control = batch->controls[m], .msg_controllen = 0};
  if (to_peer) address(header, head);
  uint16_t segment = run > 1 ? (uint16_t)head->length : (uint16_t)head->segment;
  if (segment) memcpy(add_control(header, SOL_UDP, UDP_SEGMENT, sizeof segment), &segment, sizeof segment);
  if (!header->msg_controllen) header->msg_control = NULL;
  return segment;
}

static ssize_t send_one(struct cdatagram_slot *slot, uint32_t length, int fd, int to_peer) {
  if (!to_peer) {
    ssize_t sent = send(fd, slot->data, length, MSG_DONTWAIT);
    // A router's word about an earlier datagram (RFC 1191): from now on the kernel makes fragments.
    return sent < 0 && errno == EMSGSIZE ? send(fd, slot->data, length, MSG_DONTWAIT) : sent;
  }
  _Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
  struct iovec piece = {.iov_base = slot->data, .iov_len = length};
  struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 0};
  address(&header, slot);
  if (!header.msg_controllen) header.msg_control = NULL;
  return sendmsg(fd, &header, MSG_DONTWAIT);
}

/// Sends what is left of a slot one by one, for kernels, devices and sizes without UDP_SEGMENT.
static int send_singly(struct cdatagram_slot *slot, int fd, int to_peer, struct cdatagram_sent *sent) {
  uint32_t size = slot->segment ? slot->segment : slot->length;
  do {
    uint32_t length = slot->length < size ? slot->length : size;
    if (send_one(slot, length, fd, to_peer) < 0) return -1;
    slot->data += length;
    slot->length -= length;
    sent->datagrams++;
    sent->bytes += length;
  } while (slot->length > 0);
  return 0;
}

static int is_segment_refusal(int error) { return error == EIO || error == EINVAL || error == EMSGSIZE; }

static int send_slots(struct cdatagram_batch *batch, int fd, int first, int count, int to_peer, int *segment_limit,
                      struct cdatagram_sent *sent) {
  int done = 0;
  *sent = (struct cdatagram_sent){0};
  while (done < count) {
    // The common case is the cheapest call there is.
    int is_single = count - done == 1 && !batch->slots[first + done].segment;
    if (is_single || batch->slots[first + done].segment > (uint32_t)*segment_limit) {
      if (send_singly(&batch->slots[first + done], fd, to_peer, sent) != 0) return done;
      done++;
      continue;
    }
    // sendmmsg(2) swallows the error of all but its first message, and a connected socket tells a refusal only once.
    int most = to_peer ? count : 1, messages = 0, at = done;
    uint16_t segment = 0;
    while (at < count && messages < most && batch->slots[first + at].segment <= (uint32_t)*segment_limit) {
      int run = run_length(batch, first + at, count - at, to_peer, *segment_limit);
      uint16_t size = fill(batch, first + messages, first + at, run, to_peer);
      if (messages++ == 0) segment = size;
      at += run;
    }
    int went = messages == 1 ? (sendmsg(fd, &batch->messages[first].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1)
                             : sendmmsg(fd, batch->messages + first, messages, MSG_DONTWAIT);
    int error = errno;
    for (int m = 0; m < went; m++)
      for (int n = (int)batch->messages[first + m].msg_hdr.msg_iovlen; n > 0; n--, done++) {
        sent->datagrams += cdatagram_count(&batch->slots[first + done]);
        sent->bytes += batch->slots[first + done].length;
      }
    if (went > 0) continue;
    if (segment && is_segment_refusal(error)) {
      // What is told apart from a peer that cannot be sent to: it goes without segments.
      int run = (int)batch->messages[first].msg_hdr.msg_iovlen;
      for (int n = 0; n < run; n++, done++) {
        if (send_singly(&batch->slots[first + done], fd, to_peer, sent) != 0) return done;
        *segment_limit = error == EIO ? 0 : segment - 1;
      }
      continue;
    }
    if (error == EMSGSIZE && !to_peer) {
      if (send_singly(&batch->slots[first + done], fd, to_peer, sent) != 0) return done;
      done++;
      continue;
    }
    errno = error;
    return done;
  }
  return done;
}

int cdatagram_send(struct cdatagram_batch *batch, int fd, int first, int count, int *segment_limit,
                   struct cdatagram_sent *sent) {
  return send_slots(batch, fd, first, count, 0, segment_limit, sent);
}

int cdatagram_reply(struct cdatagram_batch *batch, int fd, int first, int count, int *segment_limit,
                    struct cdatagram_sent *sent) {
  return send_slots(batch, fd, first, count, 1, segment_limit, sent);
}

static void host_order(const struct in6_addr *address, uint64_t *high, uint64_t *low) {
  memcpy(high, address->s6_addr, 8);
  memcpy(low, address->s6_addr + 8, 8);
  *high = __builtin_bswap64(*high);
  *low = __builtin_bswap64(*low);
}

int cdatagram_local(const struct cdatagram_slot *slot, uint64_t *high, uint64_t *low) {
  if (slot->local_family == 4) {
    uint32_t address;
    memcpy(&address, &slot->local, sizeof address);
    *high = 0;
    *low = ntohl(address);
  } else if (slot->local_family == 6) {
    host_order(&slot->local, high, low);
  }
  return slot->local_family;
}

int cdatagram_peer(const struct cdatagram_slot *slot, uint64_t *high, uint64_t *low, uint16_t *port) {
  if (slot->peer.sin6_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&slot->peer;
    *high = 0;
    *low = ntohl(v4->sin_addr.s_addr);
    *port = ntohs(v4->sin_port);
    return 4;
  }
  if (slot->peer.sin6_family != AF_INET6) return 0;
  host_order(&slot->peer.sin6_addr, high, low);
  *port = ntohs(slot->peer.sin6_port);
  return 6;
}

void cdatagram_prepare(int fd, int bytes) {
  // Privileged first: past net.core.rmem_max; both are halved for bookkeeping (socket(7)).
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

void cdatagram_coalesce(int fd) {
  int one = 1;
  setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
}

void cdatagram_tell_local(int fd, int family) {
  int one = 1;
  if (family == 4)
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  else
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
}

int cdatagram_kernel_drops(int fd, uint32_t *total) {
  uint32_t figures[SK_MEMINFO_VARS];
  socklen_t length = sizeof figures;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &length) != 0) return -1;
  *total = length > SK_MEMINFO_DROPS * sizeof *figures ? figures[SK_MEMINFO_DROPS] : 0;
  return 0;
}
