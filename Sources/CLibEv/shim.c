#define _GNU_SOURCE
#include "CLibEv.h"
#include <sched.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

int clinux_accept(int listener, struct sockaddr_storage *peer) {
  socklen_t length = sizeof *peer;
  return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_socket(int family, int type) { return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

ssize_t clinux_splice(int from, int to, size_t length) {
  return splice(from, NULL, to, NULL, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

int clinux_pipe(int ends[2], int size) {
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
  int actual = fcntl(ends[1], F_SETPIPE_SZ, size);
  // Over pipe-user-pages-soft the kernel says EPERM and the pipe keeps its default size.
  return actual > 0 ? actual : fcntl(ends[1], F_GETPIPE_SZ);
}

int clinux_set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : errno;
}

int clinux_get_option(int fd, int level, int option, int *value) {
  socklen_t length = sizeof *value;
  return getsockopt(fd, level, option, value, &length) == 0 ? 0 : errno;
}

int clinux_reset_on_close(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0 ? 0 : errno;
}

int clinux_tcp_state(int fd) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_state : -1;
}

int clinux_signal_descriptor(const sigset_t *signals) { return signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC); }

int clinux_next_signal(int fd) {
  struct signalfd_siginfo info;
  return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : -1;
}

int clinux_timer_descriptor(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

int clinux_timer_arm(int fd, uint64_t moment) {
  struct itimerspec when = {.it_value = {.tv_sec = moment / 1000000000, .tv_nsec = moment % 1000000000}};
  return timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) == 0 ? 0 : errno;
}

void clinux_name_thread(pthread_t thread, const char *name) { pthread_setname_np(thread, name); }

int clinux_pin_thread(pthread_t thread, int core) {
  if (core < 0 || core >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return pthread_setaffinity_np(thread, sizeof set, &set);
}

static int set_in_epoll(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events | EPOLLET, .data.u64 = data};
  return epoll_ctl(epoll, operation, fd, &event) == 0 ? 0 : errno;
}

int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
  return set_in_epoll(epoll, EPOLL_CTL_ADD, fd, events, data);
}

int clinux_epoll_change(int epoll, int fd, uint32_t events, uint64_t data) {
  return set_in_epoll(epoll, EPOLL_CTL_MOD, fd, events, data);
}

int clinux_epoll_dispatch(int epoll, void (*body)(uint64_t data, uint32_t events)) {
  struct epoll_event events[clinux_epoll_batch];
  int count = epoll_wait(epoll, events, clinux_epoll_batch, 0);
  for (int i = 0; i < count; i++) body(events[i].data.u64, events[i].events);
  return count;
}

int clinux_usable_cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
