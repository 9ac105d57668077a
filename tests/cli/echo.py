"""A server of HTTP that tells what it was asked, as JSON; some paths answer
otherwise. Prints its port."""
import http.server
import json


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        asked = {
            "method": self.command,
            "path": self.path,
            "body": self.rfile.read(length).decode(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        body = json.dumps(asked).encode()
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/there")
            self.send_header("X-Of-The-Redirect", "yes")
            body = b""
        elif self.path == "/binary":
            self.send_response(200)
            body = b"\xff\xfe"
        elif self.path == "/nowhere":
            self.send_response(404)
        else:
            self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("X-Two", "one")
        self.send_header("x-two", "two")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
