# The short front door over meson and ninja. The first two to know:
#
#     make demo    install what is needed, compile, build the bundled template
#                  and boot the image until its own service speaks
#     make check   install what tests need, and pass all of them
#
# B names the build folder.
B ?= build

# On Debian an ordinary user's has no sbin, where tests find sfdisk and setcap.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: all deps demo check unit cli boot net lint sanitize bench install clean

all: $(B)/build.ninja
	@ninja -C $(B)

$(B)/build.ninja:
	@scripts/deps build
	@meson setup $(B) >/dev/null

deps:
	@scripts/deps build run test

demo:
	@scripts/deps build run
	@scripts/demo $(B)

check: deps
	@scripts/check

unit: all
	@meson test -C $(B) --suite unit --print-errorlogs

cli: all
	@scripts/deps run test
	@scripts/suite cli $(B)

boot: all
	@scripts/deps run test
	@scripts/suite boot $(B)

net: all
	@scripts/deps run test
	@scripts/suite net $(B)

lint:
	@scripts/deps build test
	@scripts/lint

sanitize:
	@scripts/deps build run test
	@scripts/check sanitize

bench: all
	@scripts/deps run test
	@bench/build $(B)/src/slipway

install: all
	@meson install -C $(B)

clean:
	@rm -rf build build-*
