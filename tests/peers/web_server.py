#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A web server for the tests of the driver `net`: web_server.py [CERTIFICATE KEY]. Tells its port on standard
output and ends when its standard input is closed."""

import http.server
import os
import ssl
import sys
import threading


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            self.rfile.read(1)  # until the client has had enough
        elif self.path.startswith("/ok"):
            self.answer(200, f"all is well at {self.path}\n")
        elif self.path == "/moved":
            self.answer(302, "elsewhere\n", Location="/ok")
        elif self.path == "/busy":
            self.answer(503, "later\n")
        else:
            self.close_connection = True  # not a word

    def answer(self, status, text, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # clients that refuse our certificate hang up


server = Server(("127.0.0.1", 0), Pages)
if len(sys.argv) == 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
