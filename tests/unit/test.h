/* What every unit test includes: cmocka in the order it wants, and a few helpers. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: it wants all of the above */
