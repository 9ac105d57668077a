/* What the tests of this room share. */
#pragma once

#include "scratch.h"

#include "release/release.h"
