/// libmicrohttpd for Swift: its varargs functions with fixed arguments.
///
/// A daemon belongs to one thread: it has none of its own and is driven by MHD_run.
#pragma once
#include <microhttpd.h>
#include <stddef.h>

/// What bounds a daemon; 0 connections per address means no limit.
struct cmhd_limits {
  size_t memory_per_connection;
  unsigned int timeout_seconds;
  unsigned int connections;
  unsigned int connections_per_address;
};

/// The callbacks of a daemon, each called with `context`.
struct cmhd_callbacks {
  MHD_AccessHandlerCallback request;
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback connection;
  void *context;
};

/// MHD_start_daemon on a listening socket, which it closes at its end; external epoll, connections may be suspended.
/// Null on failure: then the socket is still the caller's.
struct MHD_Daemon *cmhd_start(int listener, struct cmhd_limits limits, struct cmhd_callbacks callbacks);

/// The epoll descriptor to watch for reading; the daemon's own. -1 on failure.
int cmhd_epoll_descriptor(struct MHD_Daemon *daemon);

/// The connection's socket, or -1.
int cmhd_socket(struct MHD_Connection *connection);
