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
  /// The address that was asked, and that a reply leaves from, on a socket bound to the wildcard: its family (4 or 6,
  /// 0 for none), and the interface of a link-local one.
  int local_family;
  uint32_t local_interface;
  struct in6_addr local;
};

/// What a call has sent: a slot may hold several datagrams, and some of them may go when the rest cannot.
struct cdatagram_sent {
  uint32_t datagrams;
  uint64_t bytes;
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

/// Sends the slots as datagrams of one flow on a connected socket, together where sizes allow.
///
/// Returns how many slots were sent; fewer than `count` with errno for the one that was not, of which what has gone is
/// taken off. Each call to the kernel has one error of its own: none is swallowed by what went before it.
/// `segment_limit` is the largest size that UDP_SEGMENT takes on the way, lowered when the kernel says so; 0 is none.
int cdatagram_send(struct cdatagram_batch *batch, int fd, int first, int count, int *segment_limit,
                   struct cdatagram_sent *sent);

/// The same, each slot to its peer.
int cdatagram_reply(struct cdatagram_batch *batch, int fd, int first, int count, int *segment_limit,
                    struct cdatagram_sent *sent);

/// How many datagrams a slot holds.
static inline uint32_t cdatagram_count(const struct cdatagram_slot *slot) {
  return slot->segment == 0 || slot->length <= slot->segment ? 1 : (slot->length + slot->segment - 1) / slot->segment;
}

/// The peer's family (4 or 6, 0 for another), address in host byte order and port.
int cdatagram_peer(const struct cdatagram_slot *slot, uint64_t *high, uint64_t *low, uint16_t *port);

/// The address that was asked: its family (4 or 6, 0 for none) and the address in host byte order.
int cdatagram_local(const struct cdatagram_slot *slot, uint64_t *high, uint64_t *low);

/// Whether two slots came from one peer to one address.
int cdatagram_same_peer(const struct cdatagram_slot *a, const struct cdatagram_slot *b);

/// Gives a socket as much room to receive as the system allows, up to `bytes`.
void cdatagram_prepare(int fd, int bytes);

/// Lets the kernel put datagrams of one flow together (UDP_GRO) and tell what it had no room for (SO_RXQ_OVFL): from
/// then on the socket is read by cdatagram_receive alone.
void cdatagram_coalesce(int fd);

/// Makes a socket of family 4 or 6 that is bound to the wildcard tell which address was asked.
void cdatagram_tell_local(int fd, int family);

/// How many datagrams the kernel had no room for on the socket, now; 0 or -1 with errno.
int cdatagram_kernel_drops(int fd, uint32_t *total);
