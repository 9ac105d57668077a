/* Which programs are accelerated. Left out, since what they do depends on the processor or on its libraries:
 * uname, arch (they name it); bash (HOSTTYPE, MACHTYPE); ldd, ldconfig, file; python, and perl for
 * scripts that are not listed here (native_perl.c); printf, seq, numfmt, od (long double has 64, 113 or 53 bits); awk
 * (the last digits of exp() and the like); who, users, logname (the layout of utmp); stdbuf (it preloads a library);
 * ischroot, start-stop-daemon (they look at /proc/PID/exe, and so at qemu). */
#include "guest/native_match.h"

const struct native_tools native_tools[] = {
        {"dash", "/bin/dash", 0, NULL, "a shell: texts, and integers of 64 bits everywhere"},
        {"coreutils",
         "/bin/cat /bin/chgrp /bin/chmod /bin/chown /bin/cp /bin/dd /bin/echo /bin/false /bin/ln /bin/mkdir /bin/mknod "
         "/bin/mktemp /bin/mv /bin/readlink /bin/rm /bin/rmdir /bin/sleep /bin/sync /bin/true /usr/bin/basename "
         "/usr/bin/cksum /usr/bin/dirname /usr/bin/env /usr/bin/head /usr/bin/install /usr/bin/link /usr/bin/md5sum "
         "/usr/bin/mkfifo /usr/bin/nice /usr/bin/nohup /usr/bin/realpath /usr/bin/sha1sum /usr/bin/sha256sum "
         "/usr/bin/sha512sum /usr/bin/stat /usr/bin/tail /usr/bin/tee /usr/bin/truncate /usr/bin/unlink "
         "/usr/sbin/chroot",
         NATIVE_TELLS, NULL, "files, and bytes as they are"},
        {"coreutils",
         "/bin/df /bin/ls /bin/pwd /usr/bin/[ /usr/bin/base64 /usr/bin/comm /usr/bin/cut /usr/bin/du /usr/bin/expr "
         "/usr/bin/fold /usr/bin/groups /usr/bin/id /usr/bin/join /usr/bin/nl /usr/bin/paste /usr/bin/printenv "
         "/usr/bin/split /usr/bin/tac /usr/bin/test /usr/bin/tr /usr/bin/tsort /usr/bin/tty /usr/bin/uniq /usr/bin/wc "
         "/usr/bin/whoami",
         0, NULL, "names, lines of text, and accounts"},
        {"coreutils", "/usr/bin/sort", 0, "gh", "lines of text; not -g (long double), -h"},
        {"coreutils", "/bin/date /bin/touch /usr/bin/timeout", NATIVE_BITS_64, NULL, "times of 64 bits"},
        {"sed", "/bin/sed", NATIVE_TELLS, NULL, "text"},
        {"grep", "/bin/grep", 0, "P", "text; not -P, whose limits differ with the processor's stack"},
        {"findutils", "/usr/bin/find /usr/bin/xargs", NATIVE_TELLS, NULL, "names and numbers of files"},
        {"diffutils", "/usr/bin/cmp /usr/bin/diff", NATIVE_TELLS, NULL, "bytes and lines"},
        {"debianutils", "/bin/run-parts /bin/tempfile", 0, NULL, "names of files"},
        {"util-linux", "/usr/bin/getopt /bin/mountpoint /usr/bin/flock", 0, NULL, "arguments, mounts and locks"},
        {"tar", "/bin/tar", NATIVE_TELLS, NULL, "a format of bytes"},
        {"cpio", "/bin/cpio", 0, NULL, "formats of text, or of the order of bytes that both have"},
        {"gzip", "/bin/gzip", NATIVE_TELLS, NULL, "its output depends on its input and version alone"},
        {"bzip2", "/bin/bzip2 /bin/bunzip2 /bin/bzcat", 0, NULL, "as gzip"},
        {"xz-utils", "/usr/bin/xz", NATIVE_BITS_64 | NATIVE_TELLS, NULL,
         "as gzip; with 32 bits, less memory has it choose otherwise"},
        {"zstd", "/usr/bin/zstd", NATIVE_BITS_64 | NATIVE_SIMD, NULL,
         "as gzip, where the processor has vectors, by which it chooses how to search"},
        {"kmod", "/bin/kmod", 0, NULL, "reads modules of any processor; its indexes are big-endian everywhere"},
        {"dpkg", "/usr/bin/dpkg-deb /usr/bin/dpkg-split", NATIVE_BITS_64 | NATIVE_SERIES, "b",
         "unpacks archives, whose format does not change in a series; building (-b, --build) asks how much memory "
         "there is"},
        {"dpkg", "/usr/bin/update-alternatives", 0, NULL, "links and lines of text"},
        {"dpkg",
         "/usr/bin/dpkg /usr/bin/dpkg-query /usr/bin/dpkg-divert /usr/bin/dpkg-statoverride /usr/bin/dpkg-trigger",
         NATIVE_BITS_64 | NATIVE_SERIES | NATIVE_NAMED, NULL, "texts about packages, and one name of a processor"},
        {"apt",
         "/usr/bin/apt-get /usr/bin/apt-cache /usr/bin/apt-config /usr/bin/apt-mark /usr/lib/apt/methods/copy "
         "/usr/lib/apt/methods/file /usr/lib/apt/methods/gpgv /usr/lib/apt/methods/http /usr/lib/apt/methods/rred "
         "/usr/lib/apt/methods/store",
         NATIVE_BITS_64 | NATIVE_NAMED, "v", "as dpkg; not -v, which shows what it was built for"},
        {"gpgv", "/usr/bin/gpgv", 0, NULL, "arithmetic with whole numbers"},
        {"debconf",
         "/usr/share/debconf/frontend /usr/sbin/dpkg-preconfigure /usr/sbin/dpkg-reconfigure "
         "/usr/bin/debconf-set-selections /usr/bin/debconf-communicate /usr/bin/debconf-show /usr/bin/debconf-escape",
         NATIVE_SCRIPTS, NULL, "questions, and lines of text"},
        {"init-system-helpers", "/usr/bin/deb-systemd-helper /usr/bin/deb-systemd-invoke /usr/sbin/update-rc.d",
         NATIVE_SCRIPTS, NULL, "links and lines of text"},
        {"adduser", "/usr/sbin/adduser /usr/sbin/deluser", NATIVE_SCRIPTS, NULL,
         "names and numbers; the work is done by useradd and the like"},
        {"libpam-runtime", "/usr/sbin/pam-auth-update", NATIVE_SCRIPTS, NULL, "lines of text"},
        {"linux-base", "/usr/bin/linux-version", NATIVE_SCRIPTS, NULL, "versions, as names of files have them"},
};
const size_t native_tools_n = sizeof(native_tools) / sizeof(native_tools[0]);
