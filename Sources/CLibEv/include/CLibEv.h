/// libev for Swift: its macros as `static inline` functions.
///
/// Watchers are initialised here only, so that Swift never expands a libev macro.
/// Every function is for the loop's own thread, except libev's ev_async_send.
#pragma once
#define EV_COMPAT3 0
#include <ev.h>

#include "CDatagrams.h"
#include "CLinux.h"

typedef void (*clibev_io_callback)(struct ev_loop *loop, struct ev_io *watcher, int revents);
typedef void (*clibev_async_callback)(struct ev_loop *loop, struct ev_async *watcher, int revents);
typedef void (*clibev_timer_callback)(struct ev_loop *loop, struct ev_timer *watcher, int revents);
typedef void (*clibev_prepare_callback)(struct ev_loop *loop, struct ev_prepare *watcher, int revents);

static inline void clibev_io_init(struct ev_io *w, clibev_io_callback cb, int fd, int events, void *data) {
  ev_io_init(w, cb, fd, events);
  w->data = data;
}

/// Must be called while the watcher is stopped.
static inline void clibev_io_set_events(struct ev_io *w, int events) { ev_io_modify(w, events); }

static inline int clibev_io_is_active(const struct ev_io *w) { return ev_is_active(w); }

static inline void clibev_async_init(struct ev_async *w, clibev_async_callback cb, void *data) {
  ev_async_init(w, cb);
  w->data = data;
}

static inline void clibev_prepare_init(struct ev_prepare *w, clibev_prepare_callback cb, void *data) {
  ev_prepare_init(w, cb);
  w->data = data;
}

static inline void clibev_timer_init(struct ev_timer *w, clibev_timer_callback cb, void *data) {
  ev_timer_init(w, cb, 0., 0.);
  w->data = data;
}

static inline int clibev_timer_is_active(const struct ev_timer *w) { return ev_is_active(w); }

/// Restarts the timer to fire once, `after` seconds from the loop's current time.
static inline void clibev_timer_schedule(struct ev_loop *loop, struct ev_timer *w, double after) {
  ev_timer_stop(loop, w);
  ev_timer_set(w, after, 0.);
  ev_timer_start(loop, w);
}
