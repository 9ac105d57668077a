/* What pid 1 of the kernel says on the console, one line: this, an errno or 0, a blank and the message. */
#pragma once

#define KERNEL_RESULT "slipway-result: "
