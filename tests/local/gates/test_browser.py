"""Web pages cannot call a local cloud: a real browser, run by the cloud's user, sends all requests that a page can."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import redis

from tests.local.support.clouds import Cloud
from tests.local.support.raw_requests import Signer

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REBOUND = "evil.example"
# Headless, and without the browser's own requests for updates and sync.
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Each request creates a user with another name, so that the user names show which requests arrived.
PAGE = """<!doctype html><iframe name="target"></iframe><script>
const given = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const action = (name) => `Action=CreateUser&UserName=${name}&Version=2010-05-08`;
// An invalid signature, with the access key id that emulators accept as the account's root.
const credential = encodeURIComponent("test/20260101/us-east-1/iam/aws4_request");
const test = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=20260101T000000Z`
  + `&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00`;
const load = (tag, url) => new Promise((done) => {
  const element = Object.assign(document.createElement(tag), { onload: done, onerror: done, src: url });
  document.body.append(element);
});
const post = (url, mode, body, headers = {}) => fetch(url, { method: "POST", mode, body, headers });
const form = { "Content-Type": "application/x-www-form-urlencoded" };

async function submit(url, name) {
  const element = Object.assign(document.createElement("form"), { method: "POST", action: url, target: "target" });
  for (const [key, value] of new URLSearchParams(action(name)))
    element.append(Object.assign(document.createElement("input"), { name: key, value }));
  document.body.append(element);
  const loaded = new Promise((done) => { frames[0].frameElement.onload = done; });
  element.submit();
  await loaded;
}

async function attack({ port, signed, authorization }) {
  const read = [], url = `http://127.0.0.1:${port}/`, rebound = `http://evil.example:${port}/`;
  const attempts = {
    reset: () => post(`${url}_ministack/reset`, "no-cors", ""),
    simple: () => post(`${url}?${test}`, "no-cors", action("simple"), form),
    text: () => post(`${url}?${test}`, "no-cors", action("text")),
    form: () => submit(`${url}?${test}`, "form"),
    image: () => load("img", `${url}?${action("image")}&${test}`),
    script: () => load("script", `${url}?${action("script")}&${test}`),
    frame: () => load("iframe", `${url}?${action("frame")}&${test}`),
    beacon: async () => navigator.sendBeacon(`${url}?${test}`, new URLSearchParams(action("beacon"))),
    cors: async () => read.push(await (await post(`${url}?${test}`, "cors", action("cors"), form)).text()),
    preflight: async () => read.push(
      await (await post(url, "cors", signed.body, { ...form, ...authorization })).text()),
    socket: () => new Promise((done) => { new WebSocket(`ws://127.0.0.1:${port}/`).onclose = done; }),
    signedimage: () => load("img", url + signed.path.slice(1)),
    reboundpost: () => post(`${rebound}?${test}`, "no-cors", action("reboundpost"), form),
    reboundframe: () => load("iframe", `${rebound}?${action("reboundframe")}&${test}`),
    reboundsigned: () => load("img", rebound + signed.rebound.slice(1)),
  };
  for (const attempt of Object.values(attempts)) await attempt().catch(() => {});
  return read;
}

// A store answers commands in lines, so a page sends them as a body, a form and a query.
async function attackStore([schemes, port]) {
  const commands = "\\r\\nSET pwned 1\\r\\n*3\\r\\n$3\\r\\nSET\\r\\n$5\\r\\npwned\\r\\n$1\\r\\n1\\r\\n";
  for (const scheme of schemes) {
    const url = `${scheme}://127.0.0.1:${port}/`, socket = url.replace("http", "ws");
    await post(url, "no-cors", commands).catch(() => {});
    await post(url, "cors", commands, { "X-Command": "SET pwned 1" }).catch(() => {});
    await fetch(url + encodeURIComponent(commands), { method: "PUT", body: commands }).catch(() => {});
    await load("img", url + "?" + encodeURIComponent(commands));
    await new Promise((done) => { new WebSocket(socket).onclose = done; });
  }
}

(async () => {
  const read = [];
  for (const target of given.targets) read.push(await attack(target));
  for (const store of given.stores) await attackStore(store);
  await fetch("/done", { method: "POST", body: JSON.stringify(read) });
})();
</script>"""


@dataclass
class Site:
    """A web server that serves the page, and records the requests that it receives."""

    names: set[str] = field(default_factory=set[str])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    outcome: list[list[str]] | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self._take(self.path.partition("?")[2])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                if self.path == "/done":
                    site.outcome = json.loads(body)
                    site.done.set()
                self._take(body)

            def _take(self, text: str) -> None:
                site.names.update(parse_qs(text).get("UserName", []), {"reset"} if "reset" in self.path else ())
                site.headers.append({name.lower(): value for name, value in self.headers.items()})
                page = PAGE.encode() if self.path == "/" else b""
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def witness() -> Iterator[Site]:
    """A server in place of the cloud, to show that each request reaches a server."""
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


def open_page(site: Site, address: str, profile: Path) -> None:
    """Open an address in a browser with an empty profile, and wait until the page requests ``/done``."""
    assert BROWSER is not None
    switches = [*SWITCHES, f"--user-data-dir={profile}", f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
    # A killed browser leaves its files in the temporary folder. The folder's path must be short: it has a socket in it.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        (profile.parent / "browser.log").open("wb") as log,
    ):
        environment = {**os.environ, "TMPDIR": scratch}
        browser = subprocess.Popen(
            [BROWSER, *switches, address], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            assert site.done.wait(60), (profile.parent / "browser.log").read_text()[-2000:]
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()


def target(own: Signer, port: int) -> dict[str, object]:
    """What the page knows of a server: it gets valid signatures, as if the credentials had leaked."""
    signed = own.action("CreateUser", UserName="preflight")
    kept = ("Authorization", "X-Amz-Date")
    query = "/?Action=CreateUser&Version=2010-05-08&UserName="
    requests = {
        "body": signed.body.decode(),
        "path": own.presign(f"{query}signedimage", "iam").path,
        "rebound": own.presign(f"{query}reboundsigned", "iam").path,
    }
    return {"port": port, "signed": requests, "authorization": {name: signed.headers[name] for name in kept}}


def open_stores(cloud: Cloud) -> dict[str, int]:
    """The ports of two stores without passwords, one with TLS."""
    common = {"ReplicationGroupDescription": "open", "NumCacheClusters": 1, **cloud.engine}
    stores = {
        name: {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "Properties": {**common, "TransitEncryptionEnabled": name == "Encrypted"},
        }
        for name in ("Plain", "Encrypted")
    }
    made = cloud.deploy("stores", stores, {name: {"Fn::GetAtt": [name, "PrimaryEndPoint.Port"]} for name in stores})
    return {name: int(port) for name, port in made.items()}


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: sudo apt-get install chromium")
def test_the_cloud_refuses_all_requests_of_a_web_page(cloud: Cloud, site: Site, witness: Site, tmp_path: Path) -> None:
    own = Signer(cloud)
    assert own.action("CreateUser", UserName="ours").send(own.port).status == 200
    ports = open_stores(cloud)
    # A store without TLS waits for the rest of a TLS handshake, and the page would wait with it.
    stores = [(["http"], ports["Plain"]), (["http", "https"], ports["Encrypted"])]
    given = json.dumps({"targets": [target(own, witness.port), target(own, own.port)], "stores": stores})
    open_page(site, f"http://127.0.0.1:{site.port}/#{given}", tmp_path / "profile")
    sent = {"simple", "text", "form", "image", "script", "frame", "beacon", "cors", "signedimage", "reset"}
    # All requests arrive at the server without checks, except the one with custom headers: its preflight fails.
    assert witness.names == sent | {"reboundpost", "reboundframe", "reboundsigned"}
    # Each request has a browser's header or the wrong host, so the cloud refuses it before it checks the signature.
    foreign = [{"origin", "sec-fetch-site"} & set(headers) or REBOUND in headers["host"] for headers in witness.headers]
    assert all(foreign)
    # The cloud's state is unchanged, and the page could read no answer.
    users = cloud.client("iam").list_users()["Users"]
    assert [user["UserName"] for user in users] == ["ours"]
    assert site.outcome == [[], []]
    # The commands have reached the engine without TLS, which takes them for an attack, and both stores are empty.
    logs = [path.read_text() for path in cloud.local.workspace.path.rglob("engines-*/node-*/log")]
    assert any("SECURITY ATTACK" in log for log in logs)
    trusted = cloud.local.environment["SSL_CERT_FILE"]
    for name, port in ports.items():
        tls = {"ssl": True, "ssl_ca_certs": trusted} if name == "Encrypted" else {}
        with redis.Redis("localhost", port, protocol=2, **tls) as client:
            assert client.dbsize() == 0
