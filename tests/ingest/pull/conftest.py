"""A small pack, and real servers on loopback to pull its source from: OpenSSH, an S3 endpoint, HTTPS."""

from __future__ import annotations

import contextlib
import functools
import getpass
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tanso.ingest import ingest
from tanso.ingest.model import LakeResult
from tanso.ingest.pull import places
from tanso.settings import PROJECT_ROOT, Home

PACK = "cambridge_estates"
USER, PASSWORD = "reader", "s3cret-Pa55"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PAUSES_S", (0.0, 0.0))


@dataclass
class Programme:
    """A copy of a test pack whose only sources are those that a test declares."""

    home: Home
    root: Path
    monkeypatch: pytest.MonkeyPatch

    def declare(self, source_id: str, url: str, **place: object) -> None:
        """A source of readings: customer, month, usage."""
        declaration = {
            "source_id": source_id,
            "program_id": PACK,
            "kind": "readings",
            "provider": source_id,
            "pull": {"url": url, "pattern": "m_*.csv", **place},
            "read": {"format": "csv", "encoding": "utf-8"},
            "forbidden_columns": ["password"],
            "columns": {
                name: {"header": name, "required": True, "not_null": True}
                for name in ("customer_no", "usage_month", "usage")
            },
            "options": {
                "meter": ["customer_no"],
                "usages": [{"field": "usage", "utility": "electricity", "unit": "kWh", "max": 100000}],
            },
        }
        path = self.root / PACK / "sources" / f"{source_id}.yml"
        path.write_text(yaml.safe_dump(declaration, allow_unicode=True), encoding="utf-8")

    def connection(self, conn_id: str, **fields: object) -> None:
        self.monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))

    def ingest(self) -> LakeResult:
        return ingest(self.home, [self.root])

    def receipts(self, source_id: str) -> list[dict]:
        return [json.loads(path.read_text()) for path in sorted((self.home.receipts / source_id).glob("*.json"))]

    def landed(self) -> list[bytes]:
        """The bytes of everything in landing, part files too."""
        return sorted(path.read_bytes() for path in self.home.landing.rglob("*") if path.is_file())


@pytest.fixture
def programme(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programme:
    shutil.copytree(PROJECT_ROOT / "tests" / "packs" / PACK, tmp_path / "packs" / PACK)
    for path in (tmp_path / "packs" / PACK / "sources").iterdir():
        path.unlink()
    return Programme(home, tmp_path / "packs", monkeypatch)


def readings(usage: int, rows: int = 2) -> bytes:
    """A file of one month for customers 1, 2, …, all with the same usage."""
    lines = ["customer_no,usage_month,usage", *(f"{number},2024-01,{usage}" for number in range(1, rows + 1))]
    return ("\n".join(lines) + "\n").encode()


def put(folder: Path, name: str, content: bytes, age_s: int = 3600) -> Path:
    """A file that was written a while ago, so that its time stamp can be relied on."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    at = time.time() - age_s
    os.utime(path, (at, at))
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- OpenSSH ---------------------------------------------------------------------------------------------------------


@dataclass
class SshServer:
    """A running sshd with internal-sftp; ``connection``: what a client needs."""

    url: str  # of the folder
    folder: Path
    connection: dict
    log: Path
    stop: Callable[[], None]


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SshServer]:
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if sshd is None:
        pytest.skip("needs OpenSSH's sshd on this machine: apt-get install openssh-server (.ci/run does)")
    folder, keys = tmp_path / "sftp", tmp_path / "ssh"
    folder.mkdir()
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True)
    shutil.copy(keys / "user.pub", keys / "authorized")
    port, log = free_port(), keys / "log"
    settings = [
        f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {keys / 'host'}",
        f"AuthorizedKeysFile {keys / 'authorized'}",
        f"PidFile {keys / 'pid'}", "StrictModes no", "UsePAM no", "PasswordAuthentication no",
        "PermitRootLogin prohibit-password", "Subsystem sftp internal-sftp", "ForceCommand internal-sftp",
    ]  # fmt: skip
    (keys / "config").write_text("\n".join(settings) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on it when root runs it
    server = subprocess.Popen([sshd, "-D", "-e", "-f", str(keys / "config")], stderr=log.open("w"))

    def stop() -> None:
        server.terminate()
        server.wait(10)

    try:
        _wait_for(port, log)
        connection = {
            "conn_type": "sftp",
            "login": getpass.getuser(),
            "extra": {
                "private_key": (keys / "user").read_text(),
                "host_key": " ".join((keys / "host.pub").read_text().split()[:2]),
            },
        }
        yield SshServer(f"sftp://127.0.0.1:{port}{folder}", folder, connection, log, stop)
    finally:
        stop()


def _wait_for(port: int, log: Path) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"sshd did not start: {log.read_text()}")


# --- S3 --------------------------------------------------------------------------------------------------------------


@dataclass
class Bucket:
    """A bucket of a running S3 endpoint."""

    name: str
    client: object
    connection: dict

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str) -> Bucket:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id=USER,
        aws_secret_access_key=PASSWORD,
    )
    name = f"meters-{uuid.uuid4()}"
    client.create_bucket(Bucket=name)
    extra = {"endpoint_url": s3_endpoint, "region_name": "us-east-1"}
    return Bucket(name, client, {"conn_type": "aws", "login": USER, "password": PASSWORD, "extra": extra})


# --- HTTPS -----------------------------------------------------------------------------------------------------------


@dataclass
class WebServer:
    """A running HTTPS server of a folder."""

    url: str
    folder: Path
    connection: dict  # the authority that vouches for it
    requests: list[str] = field(default_factory=list)  # "GET /m_1.csv" …
    failures: dict[str, int] = field(default_factory=dict)  # path -> answers of 503 still to give
    cut: set[str] = field(default_factory=set)  # paths whose connection breaks in the middle
    redirects: dict[str, str] = field(default_factory=dict)  # path -> where it leads
    headers: list[dict[str, str]] = field(default_factory=list)  # of every request
    listing: bool = True
    password: str | None = None

    def fetched(self) -> list[str]:
        """Names of the files that were asked for."""
        return [path.split("/")[-1] for path in self.requests if path.startswith("GET ") and path.endswith(".csv")]


class _Handler(SimpleHTTPRequestHandler):
    site: WebServer

    def send_head(self):
        site = self.site
        site.requests.append(f"{self.command} {self.path}")
        site.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path in site.redirects:
            self.send_response(302)
            self.send_header("Location", site.redirects[self.path])
            self.end_headers()
            return None
        if site.password and not self.headers.get("Authorization", "").endswith(site.password):
            self.send_error(401)
            return None
        if self.command == "GET" and site.failures.get(self.path, 0) > 0:
            site.failures[self.path] -= 1
            self.send_error(503)
            return None
        return super().send_head()

    def list_directory(self, path):
        if not self.site.listing:
            self.send_error(403)
            return None
        return super().list_directory(path)

    def copyfile(self, source, outputfile) -> None:
        if self.path in self.site.cut:
            content = source.read()
            outputfile.write(content[: len(content) // 2])
            return  # HTTP/1.0: the connection ends here, before the announced length
        super().copyfile(source, outputfile)

    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    with _serving(tmp_path / "web", _certificate(tmp_path)) as site:
        yield site


@pytest.fixture
def other_web(web: WebServer, tmp_path: Path) -> Iterator[WebServer]:
    """Another HTTPS server that the same authority vouches for."""
    with _serving(tmp_path / "other_web", Path(web.connection["extra"]["ca_file"])) as site:
        yield site


@pytest.fixture
def plain_web(tmp_path: Path) -> Iterator[WebServer]:
    """A server without encryption."""
    with _serving(tmp_path / "plain_web", None) as site:
        yield site


@contextlib.contextmanager
def _serving(folder: Path, certificate: Path | None) -> Iterator[WebServer]:
    folder.mkdir()
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    connection = {"conn_type": "http", "extra": {"ca_file": str(certificate)}}
    handler.site = site = WebServer(url, folder, connection)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
