/* What the tests of this room share: a scratch folder, and real tools to make what is unpacked. */
#pragma once

#include "scratch.h"

#include "base/digest.h"
#include "source/source.h"
