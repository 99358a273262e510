/// Linux calls and constants that Swift's Glibc overlay does not show.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC. O_NONBLOCK is not inherited from the listener.
int clinux_accept(int listener, struct sockaddr_storage *peer);

/// socket(2) with SOCK_NONBLOCK | SOCK_CLOEXEC.
int clinux_socket(int family, int type);

/// splice(2) between a pipe and a socket, SPLICE_F_MOVE | SPLICE_F_NONBLOCK.
ssize_t clinux_splice(int from, int to, size_t length);

/// pipe2(2) with O_NONBLOCK | O_CLOEXEC, sized by F_SETPIPE_SZ as far as the system allows; returns the size, or -1.
int clinux_pipe(int ends[2], int size);

/// setsockopt(2) with an int; 0, or errno.
int clinux_set_option(int fd, int level, int option, int value);

/// getsockopt(2) of an int; 0, or errno.
int clinux_get_option(int fd, int level, int option, int *value);

/// SO_LINGER with zero seconds: close(2) sends a reset (socket(7), tcp(7)).
int clinux_reset_on_close(int fd);

/// The TCP state (TCP_INFO's tcpi_state: TCP_ESTABLISHED and so on), or -1.
int clinux_tcp_state(int fd);

/// signalfd(2), non-blocking and close-on-exec, for signals that are blocked; -1 with errno.
int clinux_signal_descriptor(const sigset_t *signals);

/// The next signal of a signalfd(2), or -1 when none is pending.
int clinux_next_signal(int fd);

/// timerfd_create(2) on CLOCK_MONOTONIC, non-blocking and close-on-exec; -1 with errno.
int clinux_timer_descriptor(void);

/// Lets a timerfd(2) be readable from one moment of CLOCK_MONOTONIC on, in nanoseconds, and not before; 0 is never.
/// Returns 0, or errno.
int clinux_timer_arm(int fd, uint64_t moment);

/// pthread_setname_np(3).
void clinux_name_thread(pthread_t thread, const char *name);

/// pthread_setaffinity_np(3) with one core; 0, or an error number.
int clinux_pin_thread(pthread_t thread, int core);

/// Adds `fd` to an epoll, edge-triggered, for EPOLL* `events` (epoll_ctl(2)); 0, or errno.
int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);

/// Changes what it is in it for; what is ready already is told once more. 0, or errno.
int clinux_epoll_change(int epoll, int fd, uint32_t events, uint64_t data);

/// How many events are asked for at once. Few: the kernel looks at each socket as it tells of it, and its memory is
/// still in the cache when it is read from.
enum { clinux_epoll_batch = 64 };

/// epoll_wait(2) without waiting: hands up to `clinux_epoll_batch` events to `body`, returns how many.
int clinux_epoll_dispatch(int epoll, void (*body)(uint64_t data, uint32_t events));

/// How many cores the process may run on (sched_getaffinity(2)), at least 1.
int clinux_usable_cores(void);
