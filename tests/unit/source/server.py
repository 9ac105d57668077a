#!/usr/bin/python3
"""A small HTTP server for the tests of downloads: ranges, validators, and
failures on command.

    server.py FOLDER

serves the files of FOLDER on 127.0.0.1, writes the port as the first line to
standard output, and ends when standard input does. What follows the path
after '?' says how to behave, joined by '&':

    fail=N      answer the first N requests of this path with 503
    status=N    answer with this status
    cut=N       close the connection after N bytes of each body that begins at 0
    reset=N     the same with a TCP reset
    stall=N     the first N requests: send the header, then nothing
    noetag, nodate, norange, weak
    redirect=P  answer with a redirect to P
    loop        answer with a redirect to the same
    etag=X      this entity tag
    slow=S      sleep S seconds in the middle

Each request is one line in FOLDER/requests: method, path, range, status.
"""
import email.utils
import http.server
import os
import socket
import struct
import sys
import threading
import time

FOLDER = sys.argv[1]
seen = {}
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, status):
        with lock, open(os.path.join(FOLDER, "requests"), "a") as log:
            log.write("%s %s %s %s %s\n" % (self.command, self.path, self.headers.get("Range", "-"), status,
                                            self.headers.get("User-Agent", "-")))

    def answer(self, status, headers=(), body=b""):
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        how = dict((part.partition("=")[0], part.partition("=")[2]) for part in query.split("&") if part)
        with lock:
            seen[self.path] = seen.get(self.path, 0) + 1
            count = seen[self.path]
        if count <= int(how.get("fail", 0)):
            return self.answer(503)
        if "status" in how:
            return self.answer(int(how["status"]), body=b"an error page")
        if "loop" in how:
            return self.answer(302, [("Location", self.path)])
        if "redirect" in how:
            return self.answer(302, [("Location", how["redirect"])])
        try:
            name = path.lstrip("/") + ("index.html" if path.endswith("/") else "")
            with open(os.path.join(FOLDER, name), "rb") as file:
                data = file.read()
                mtime = os.fstat(file.fileno()).st_mtime
        except OSError:
            return self.answer(404, body=b"not found")
        return self.give(how, data, mtime)

    def give(self, how, data, mtime):
        etag = how.get("etag", '"%d-%d"' % (mtime * 1000, len(data)))
        if "weak" in how:
            etag = "W/" + etag
        date = email.utils.formatdate(mtime, usegmt=True)
        headers = [("Accept-Ranges", "bytes")]
        if "noetag" not in how:
            headers.append(("ETag", etag))
        if "nodate" not in how:
            headers.append(("Last-Modified", date))
        if self.headers.get("If-None-Match") == etag and "noetag" not in how:
            return self.answer(304, headers)
        start, status = 0, 200
        asked = self.headers.get("Range")
        if asked and "norange" not in how and self.headers.get("If-Range", etag) in (etag, date):
            start, status = int(asked[6:].split("-")[0]), 206
            if start >= len(data):
                return self.answer(416, [("Content-Range", "bytes */%d" % len(data))])
            headers.append(("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data))))
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.body(how, data, start)

    def body(self, how, data, start):
        end = len(data)
        for word in ("cut", "reset"):
            if word in how and start == 0:
                end = int(how[word])
        if seen[self.path] <= int(how.get("stall", 0)):
            self.wfile.flush()
            time.sleep(30)
        elif "slow" in how:
            self.wfile.write(data[start:end // 2])
            self.wfile.flush()
            time.sleep(float(how["slow"]))
            start = max(start, end // 2)
        self.wfile.write(data[start:end])
        self.wfile.flush()
        if "reset" in how and start == 0:
            time.sleep(0.2)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if end < len(data):
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args):
        pass


server = Server(("127.0.0.1", 0), Handler)
sys.stdout.write("%d\n" % server.server_address[1])
sys.stdout.flush()
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
