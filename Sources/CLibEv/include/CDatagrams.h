/// Batches of UDP datagrams for Swift: recvmmsg(2), sendmmsg(2), UDP_GRO and UDP_SEGMENT (udp(7)).
///
/// A batch is for one thread. Slots are numbered from 0.
#pragma once
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/// One datagram, or several of one flow and one size that came together.
struct cdatagram_slot {
  uint8_t *data;
  uint32_t length;
  /// The size of each but the last, when there are several; 0 for one.
  uint32_t segment;
  /// Where it came from, or goes to.
  struct sockaddr_in6 peer;
  uint32_t peer_length;
  /// Whether the buffer was too small for it.
  int is_truncated;
  /// The socket's count of datagrams that the kernel had no room for (SO_RXQ_OVFL), where has_dropped says so.
  uint32_t dropped;
  int has_dropped;
};

struct cdatagram_batch;

/// `count` slots of 64 KiB each, mapped: pages that no datagram has touched cost nothing. NULL without memory.
struct cdatagram_batch *cdatagram_batch_new(int count);
void cdatagram_batch_free(struct cdatagram_batch *batch);
struct cdatagram_slot *cdatagram_slot_at(struct cdatagram_batch *batch, int index);

/// Receives into the `count` slots from `first`, without waiting; how many were filled, or -1 with errno.
int cdatagram_receive(struct cdatagram_batch *batch, int fd, int first, int count);

/// Receives one datagram into a slot, with the cheapest call: not for a socket with cdatagram_coalesce. 1, or -1 with
/// errno. The peer is left as it is.
int cdatagram_receive_one(struct cdatagram_batch *batch, int fd, int index);

/// Sends the slots as datagrams of one flow on a connected socket, in one call where sizes allow.
///
/// Returns how many slots were sent; fewer than `count` with errno. `allow_segments` is cleared when the kernel cannot
/// do UDP_SEGMENT there.
int cdatagram_send(struct cdatagram_batch *batch, int fd, int first, int count, int *allow_segments);

/// Sends each slot to its peer. Returns how many slots were sent; fewer than `count` with errno for the one that failed.
int cdatagram_reply(struct cdatagram_batch *batch, int fd, int first, int count, int *allow_segments);

/// How many datagrams a slot holds.
static inline uint32_t cdatagram_count(const struct cdatagram_slot *slot) {
  return slot->segment == 0 || slot->length <= slot->segment ? 1 : (slot->length + slot->segment - 1) / slot->segment;
}

/// The peer's family (4 or 6, 0 for another), address in host byte order and port.
int cdatagram_peer(const struct cdatagram_slot *slot, uint64_t *high, uint64_t *low, uint16_t *port);

/// Gives a socket as much room to receive as the system allows, up to `bytes`.
void cdatagram_prepare(int fd, int bytes);

/// Lets the kernel put datagrams of one flow together (UDP_GRO) and tell what it had no room for (SO_RXQ_OVFL): from
/// then on the socket is read by cdatagram_receive alone.
void cdatagram_coalesce(int fd);
