/* Preloaded under valgrind only. Its 3.19 writes into the mask that sigsuspend(2) is given, and libdispatch's, where
 * the main thread of an asynchronous Swift program waits, is read-only. A copy on the stack is not. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
  sigset_t copy = *mask;
  return (int)syscall(SYS_rt_sigsuspend, &copy, 8);
}
