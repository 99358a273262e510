/// libmicrohttpd for Swift: its varargs functions with fixed arguments.
#pragma once
#include <microhttpd.h>
