"""A remote's address may hold a name and a password: the host gets them, nobody else on this machine
sees them."""

import base64
import http.server
import pathlib
import ssl
import subprocess
import threading

import pytest

SECRET = "sw0rdfish-marker"


class Host(http.server.BaseHTTPRequestHandler):
    """Asks for a sign-in and then holds no repository; lets a request wait while `looked` is unset."""
    given, looked = [], threading.Event()

    def do_GET(self):
        told = self.headers.get("Authorization")
        if told is None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
        else:
            self.given.append((self.path, base64.b64decode(told.split()[1]).decode()))
            self.looked.wait(20)
            self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def host(world):
    certificate = world.directory / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=x",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate, "-out",
                    world.directory / "public.pem"], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (world.directory / "public.pem").read_text())
    (world.home / ".gitconfig").write_text(f"[http]\n\tsslCAInfo = {world.directory}/public.pem\n")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Host.given.clear()
    Host.looked.clear()
    yield server.server_address[1]
    server.shutdown()


def arguments_of_all():
    """What every account of this machine may read of every process."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            yield (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass  # it has ended


def test_a_password_in_an_address_reaches_the_host_alone(world, host):
    site = world.site("North").start()
    url = f"https://reader:{SECRET}%21@127.0.0.1:{host}/team/school.git"
    # Through the socket: what a person types stands in the client's own arguments.
    space = f"/v1/spaces/{site.space}"
    status, told = site.request("POST", f"{space}/remotes", {"name": "hub", "url": url})
    assert status == 201 and SECRET not in str(told)
    contact = threading.Thread(target=site.sync, kwargs={"expect": None})
    contact.start()
    try:
        while not Host.given and contact.is_alive():
            contact.join(0.05)
        words = [one for one in arguments_of_all() if str(host) in one]
        assert any("remote-https" in one for one in words), words
        assert not any(SECRET in one for one in words), words
    finally:
        Host.looked.set()
        contact.join()
    assert Host.given[0] == ("/team/school.git/info/refs?service=git-upload-pack",
                             f"reader:{SECRET}!")
    remote = site.status()["remotes"][0]
    assert "no repository" in remote["error"] and SECRET not in str(remote)
    assert SECRET not in site.log.read_text()
    secret_files = [path for path in site.store.rglob("*") if path.is_file()
                    and SECRET.encode() in path.read_bytes()]
    assert secret_files and all(path.stat().st_mode & 0o077 == 0 for path in secret_files)
    site.client("remote", "remove", "hub")
    site.client("remote", "add", "stick", world.bare("stick"))
    site.sync()  # each contact begins with the remotes of the moment
    assert not (site.store / "git-credentials").exists()
