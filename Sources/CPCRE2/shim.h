#pragma once
// The width is chosen before the header is read: it names every function by it.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
