#define _GNU_SOURCE
#include "CDatagrams.h"

#include <errno.h>
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
  struct mmsghdr *messages;
  struct iovec *pieces;
  uint8_t (*controls)[CONTROL_SIZE];
};

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
  batch->controls = calloc(count, sizeof *batch->controls);
  if (!batch->slots || !batch->messages || !batch->pieces || !batch->controls) {
    cdatagram_batch_free(batch);
    return NULL;
  }
  for (int i = 0; i < count; i++) batch->slots[i].data = batch->memory + (size_t)i * SLOT_SIZE;
  return batch;
}

void cdatagram_batch_free(struct cdatagram_batch *batch) {
  munmap(batch->memory, (size_t)batch->count * SLOT_SIZE);
  free(batch->slots);
  free(batch->messages);
  free(batch->pieces);
  free(batch->controls);
  free(batch);
}

struct cdatagram_slot *cdatagram_slot_at(struct cdatagram_batch *batch, int index) { return &batch->slots[index]; }

static void read_control(struct cdatagram_slot *slot, struct msghdr *header) {
  slot->segment = 0;
  slot->has_dropped = 0;
  slot->is_truncated = (header->msg_flags & MSG_TRUNC) != 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
      int size;
      memcpy(&size, CMSG_DATA(c), sizeof size);
      if (size > 0 && (uint32_t)size < slot->length) slot->segment = (uint32_t)size;
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      memcpy(&slot->dropped, CMSG_DATA(c), sizeof slot->dropped);
      slot->has_dropped = 1;
    }
  }
}

int cdatagram_receive_one(struct cdatagram_batch *batch, int fd, int index) {
  struct cdatagram_slot *slot = &batch->slots[index];
  ssize_t received = recv(fd, slot->data, SLOT_SIZE, MSG_DONTWAIT | MSG_TRUNC);
  if (received < 0) return -1;
  slot->length = received > SLOT_SIZE ? SLOT_SIZE : (uint32_t)received;
  slot->segment = 0;
  slot->has_dropped = 0;
  slot->is_truncated = received > SLOT_SIZE;
  return 1;
}

int cdatagram_receive(struct cdatagram_batch *batch, int fd, int first, int count) {
  for (int i = first; i < first + count; i++) {
    batch->pieces[i] = (struct iovec){.iov_base = batch->slots[i].data, .iov_len = SLOT_SIZE};
    batch->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &batch->slots[i].peer,
        .msg_namelen = sizeof batch->slots[i].peer,
        .msg_iov = &batch->pieces[i],
        .msg_iovlen = 1,
        .msg_control = batch->controls[i],
        .msg_controllen = CONTROL_SIZE,
    };
  }
  int received = recvmmsg(fd, batch->messages + first, count, MSG_DONTWAIT, NULL);
  for (int i = first; i < first + received; i++) {
    struct cdatagram_slot *slot = &batch->slots[i];
    slot->length = batch->messages[i].msg_len;
    slot->peer_length = batch->messages[i].msg_hdr.msg_namelen;
    read_control(slot, &batch->messages[i].msg_hdr);
  }
  return received;
}

/// How many slots from `first` can leave as one message: equal sizes, the last one shorter or equal.
static int run_length(const struct cdatagram_batch *batch, int first, int count, int same_peer) {
  const struct cdatagram_slot *head = &batch->slots[first];
  if (head->segment || head->length == 0) return 1;
  uint32_t total = head->length;
  int n = 1;
  while (n < count && n < MOST_SEGMENTS) {
    const struct cdatagram_slot *next = &batch->slots[first + n];
    if (next->segment || next->length == 0 || next->length > head->length || total + next->length > MOST_BYTES) break;
    if (same_peer && (next->peer_length != head->peer_length || memcmp(&next->peer, &head->peer, head->peer_length)))
      break;
    total += next->length;
    n++;
    if (next->length < head->length) break;
  }
  return n;
}

/// Fills message `m` with `run` slots from `first`.
static void fill(struct cdatagram_batch *batch, int m, int first, int run, int to_peer) {
  struct cdatagram_slot *head = &batch->slots[first];
  for (int i = first; i < first + run; i++)
    batch->pieces[i] = (struct iovec){.iov_base = batch->slots[i].data, .iov_len = batch->slots[i].length};
  struct msghdr *header = &batch->messages[m].msg_hdr;
  *header = (struct msghdr){.msg_iov = &batch->pieces[first], .msg_iovlen = run};
  if (to_peer) {
    header->msg_name = &head->peer;
    header->msg_namelen = head->peer_length;
  }
  uint16_t segment = run > 1 ? (uint16_t)head->length : (uint16_t)head->segment;
  if (!segment) return;
  header->msg_control = batch->controls[m];
  header->msg_controllen = CMSG_SPACE(sizeof segment);
  struct cmsghdr *c = CMSG_FIRSTHDR(header);
  c->cmsg_level = SOL_UDP;
  c->cmsg_type = UDP_SEGMENT;
  c->cmsg_len = CMSG_LEN(sizeof segment);
  memcpy(CMSG_DATA(c), &segment, sizeof segment);
}

/// Sends a slot of several datagrams one by one, for kernels and devices without UDP_SEGMENT.
static int send_singly(struct cdatagram_slot *slot, int fd, int to_peer) {
  uint32_t size = slot->segment ? slot->segment : slot->length;
  uint32_t at = 0;
  do {
    uint32_t length = slot->length - at < size ? slot->length - at : size;
    ssize_t sent = sendto(fd, slot->data + at, length, MSG_DONTWAIT, to_peer ? (struct sockaddr *)&slot->peer : NULL,
                          to_peer ? slot->peer_length : 0);
    if (sent < 0) return -1;
    at += length;
  } while (at < slot->length);
  return 0;
}

static int is_segment_refusal(int error) { return error == EIO || error == EINVAL || error == EMSGSIZE || error == ENOPROTOOPT; }

static int send_slots(struct cdatagram_batch *batch, int fd, int first, int count, int to_peer, int *allow_segments) {
  int done = 0;
  while (done < count) {
    // The common case is the cheapest call there is.
    if (!*allow_segments || (!to_peer && count - done == 1 && !batch->slots[first + done].segment)) {
      if (send_singly(&batch->slots[first + done], fd, to_peer) != 0) return done;
      done++;
      continue;
    }
    int messages = 0, at = done;
    while (at < count) {
      int run = run_length(batch, first + at, count - at, to_peer);
      fill(batch, first + messages, first + at, run, to_peer);
      messages++;
      at += run;
    }
    int sent = messages == 1 ? (sendmsg(fd, &batch->messages[first].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1)
                             : sendmmsg(fd, batch->messages + first, messages, MSG_DONTWAIT);
    int error = errno;
    for (int m = 0; m < sent; m++) done += (int)batch->messages[first + m].msg_hdr.msg_iovlen;
    if (sent > 0) continue;
    // The first of what is left failed; without its segments it may go.
    if (batch->messages[first].msg_hdr.msg_control && is_segment_refusal(error)) {
      *allow_segments = 0;
      continue;
    }
    errno = error;
    return done;
  }
  return done;
}

int cdatagram_send(struct cdatagram_batch *batch, int fd, int first, int count, int *allow_segments) {
  return send_slots(batch, fd, first, count, 0, allow_segments);
}

int cdatagram_reply(struct cdatagram_batch *batch, int fd, int first, int count, int *allow_segments) {
  return send_slots(batch, fd, first, count, 1, allow_segments);
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
  memcpy(high, slot->peer.sin6_addr.s6_addr, 8);
  memcpy(low, slot->peer.sin6_addr.s6_addr + 8, 8);
  *high = __builtin_bswap64(*high);
  *low = __builtin_bswap64(*low);
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
