// Load and endpoint for the UDP comparison; see run.sh. Prints one number: round trips, or bytes that arrived.
//
// load echo IP PORT                           sends every datagram back
// load sink IP PORT                           counts bytes; prints the sum when it is ended by SIGTERM
// load round-trips IP PORT FLOWS SECONDS      64-byte datagrams, one under way on each flow
// load stream IP PORT MEGABYTES RATE SEGMENTS 1,200-byte datagrams at RATE megabytes a second, SEGMENTS in a call
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 65536, DATAGRAM = 1200, ROUND_TRIP = 64 };

static struct sockaddr_in address;
static volatile sig_atomic_t is_over;
static void end(int signal) { is_over = signal; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void receive(int is_echo) {
  static char data[BATCH][2048];
  static struct mmsghdr messages[BATCH];
  static struct iovec pieces[BATCH];
  static struct sockaddr_in peers[BATCH];
  int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 32 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) { perror("bind"); exit(3); }
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
  long bytes = 0;
  while (!is_over) {
    for (int i = 0; i < BATCH; i++) {
      pieces[i] = (struct iovec){data[i], 2048};
      messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i], .msg_namelen = sizeof peers[i],
                                            .msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    for (int i = 0; i < count; i++) bytes += pieces[i].iov_len = messages[i].msg_len;
    for (int done = 0; is_echo && done < count;) {
      int sent = sendmmsg(fd, messages + done, count - done, 0);
      done += sent > 0 ? sent : 1;
    }
  }
  if (!is_echo) printf("%ld\n", bytes);
}

static void round_trips(int flows, double seconds) {
  char data[2048] = {0};
  int *fds = malloc(flows * sizeof *fds), epoll_fd = epoll_create1(0);
  long count = 0;
  for (int i = 0; i < flows; i++) {
    fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (connect(fds[i], (struct sockaddr *)&address, sizeof address) != 0) { perror("connect"); exit(3); }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i], &event);
    send(fds[i], data, ROUND_TRIP, 0);
    if (i % 64 == 63) usleep(500);
  }
  struct epoll_event events[BATCH];
  for (double start = now(); now() - start < seconds;) {
    int ready = epoll_wait(epoll_fd, events, BATCH, 100);
    for (int i = 0; i < ready; i++)
      if (recv(events[i].data.fd, data, sizeof data, 0) > 0) {
        count++;
        send(events[i].data.fd, data, ROUND_TRIP, 0);
      }
  }
  printf("%ld\n", count);
}

static void stream(double megabytes, double rate, int segments) {
  static char data[SIZE];
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = DATAGRAM;
  connect(fd, (struct sockaddr *)&address, sizeof address);
  if (segments > 1) setsockopt(fd, SOL_UDP, 103, &size, sizeof size);
  double sent = 0, start = now();
  while (sent < megabytes * 1e6) {
    if (sent > rate * 1e6 * (now() - start)) {
      usleep(20);
      continue;
    }
    ssize_t result = send(fd, data, (size_t)segments * DATAGRAM, 0);
    if (result > 0) sent += result;
  }
  printf("%.0f\n", sent);
}

int main(int count, char **words) {
  if (count < 4) return 2;
  address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[3]))};
  inet_aton(words[2], &address.sin_addr);
  if (!strcmp(words[1], "echo")) receive(1);
  else if (!strcmp(words[1], "sink")) receive(0);
  else if (!strcmp(words[1], "round-trips") && count == 6) round_trips(atoi(words[4]), atof(words[5]));
  else if (!strcmp(words[1], "stream") && count == 7) stream(atof(words[4]), atof(words[5]), atoi(words[6]));
  else return 2;
}
