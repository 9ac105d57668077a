"""Run a command on a terminal of its own, and type when it has shown something.

    terminal.py [TEXT KEYS]... -- COMMAND...

For each pair: wait for TEXT in what came since the last one, then type KEYS ("\\r" and so on, as in
Python). What it shows is printed; the exit code is the command's.
"""
import os
import pty
import select
import sys
import time

end = sys.argv.index("--")
pairs = list(zip(sys.argv[1:end:2], sys.argv[2:end:2]))
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
seen, deadline = b"", time.time() + 100
while time.time() < deadline:
    if not select.select([fd], [], [], 1)[0]:
        continue
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
    seen += data
    while pairs and pairs[0][0].encode() in seen:
        text, keys = pairs.pop(0)
        seen = seen[seen.index(text.encode()) + len(text):]
        time.sleep(0.1)
        os.write(fd, keys.encode().decode("unicode_escape").encode())
else:
    os.kill(pid, 9)
if pairs:
    print("\nterminal.py: was not shown: " + pairs[0][0])
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(99 if pairs else status if status >= 0 else 128 - status)
