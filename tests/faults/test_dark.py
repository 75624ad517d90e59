"""No way to the gateway: names that do not resolve, packets that vanish, certificates that do not
hold.

The first two need a network and mount namespace of their own (root, `unshare`, `ip`); certificates
are made by `openssl` at test time, and a stand-in for `certifi` on the path of the child makes our
own authority the trusted one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adversary import Adversary
from tests.doses import SWEEP
from tests.faults.stage import Stage, stage
from tests.world import order

QUICK = {"timeout": "0.1s"}
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def namespaces() -> str:
    """Why there can be none; empty when there can."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return "needs root, unshare and ip"
    probe = [
        "unshare",
        "--net",
        "--mount",
        "sh",
        "-c",
        "ip link set lo up && ip link add d0 type veth peer name d1",
    ]
    done = subprocess.run(
        probe, capture_output=True, text=True, timeout=20, check=False
    )
    return f"no namespace here: {done.stderr.strip()}" if done.returncode else ""


NO_NAMESPACE = namespaces()
in_namespace = pytest.mark.skipif(bool(NO_NAMESPACE), reason=NO_NAMESPACE)

RESOLVER = """
import socket, struct, sys
how = sys.argv[1]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    data, peer = sock.recvfrom(2048)
    print(data[12:].split(b"\\0")[0], file=sys.stderr, flush=True)
    code = {"NXDOMAIN": 3, "SERVFAIL": 2}.get(how)
    if code is not None:
        flags = struct.pack(">H", 0x8180 | code)
        sock.sendto(data[:2] + flags + data[4:6] + b"\\0" * 6 + data[12:], peer)
"""


def nothing_left(night: Stage, result: subprocess.CompletedProcess[str]) -> None:
    """69, every row held, and not one intent that is not known to have stayed here."""
    assert result.returncode == 69, (result.stdout, result.stderr)
    assert set(night.outcomes()) == {"held"}
    assert night.posts() == 0
    night.code = result.returncode
    night.right()


def inside(night: Stage, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a network and mount namespace after these lines of shell."""
    words, how = night.command("run", "job.toml")
    script = "\n".join(["set -e", "ip link set lo up", *lines, 'exec "$@"'])
    return subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script, "sh", *words],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        **how,
    )


@pytest.mark.fault("B01", "B35")
@in_namespace
@pytest.mark.parametrize(
    "how",
    [
        "NXDOMAIN",
        pytest.param("SERVFAIL", marks=SWEEP),
        pytest.param("silence", marks=SWEEP),
    ],
)
def test_a_name_that_does_not_resolve(night: Stage, how: str) -> None:
    """A resolver of our own says so, or says nothing."""
    night.job(url="https://gateway.example", **QUICK)
    night.orders([order(number) for number in range(3)])
    folder = night.folder / "resolver"
    folder.mkdir()
    (folder / "resolver.py").write_text(RESOLVER)
    (folder / "resolv.conf").write_text(
        "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
    )
    result = inside(
        night,
        f"mount --bind {folder}/resolv.conf /etc/resolv.conf",
        f"{sys.executable} {folder}/resolver.py {how} >{folder}/out 2>{folder}/asked & resolver=$!",
        f"for wait in 1 2 3 4 5 6 7 8 9 10 11 12; do grep -q ready {folder}/out && break; sleep"
        " 0.5; done",
        '"$@" && code=0 || code=$?; kill $resolver; exit $code',
    )
    assert "gateway" in (folder / "asked").read_text()
    shutil.rmtree(folder)
    nothing_left(night, result)


@pytest.mark.fault("B03")
@in_namespace
def test_packets_that_vanish(night: Stage) -> None:
    """The address is there, its wire is cut: the connect times out, nothing was sent."""
    night.job(url="https://10.99.0.2", **QUICK)
    night.orders([order(number) for number in range(3)])
    result = inside(
        night,
        "ip link add d0 type veth peer name d1",
        "ip addr add 10.99.0.1/24 dev d0",
        "ip link set d0 up",
        "ip link set d1 up",
        "ip neigh replace 10.99.0.2 lladdr 02:00:00:00:00:99 dev d0 nud permanent",
    )
    nothing_left(night, result)


# --- certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own certificate authority, and the stand-in for certifi that trusts it."""
    folder = tmp_path_factory.mktemp("authority")
    openssl(
        folder,
        "req",
        "-x509",
        *NEW_KEY,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=Test authority",
    )
    (folder / "certifi").mkdir()
    (folder / "certifi" / "__init__.py").write_text(
        f"def where():\n    return {str(folder / 'ca.pem')!r}\n"
    )
    return folder


def openssl(folder: Path, *words: str) -> None:
    """Run it, quietly."""
    subprocess.run(
        ["openssl", *words], cwd=folder, capture_output=True, timeout=60, check=True
    )


def certificate(
    folder: Path, name: str, alternative: str, *, days: int = 2, signed: bool = True
) -> ssl.SSLContext:
    """A server's context with a certificate of our making."""
    openssl(
        folder,
        "req",
        *NEW_KEY,
        "-keyout",
        f"{name}.key",
        "-out",
        f"{name}.csr",
        "-subj",
        f"/CN={name}",
    )
    (folder / f"{name}.ext").write_text(f"subjectAltName = {alternative}\n")
    signer = (
        ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        if signed
        else ["-signkey", f"{name}.key"]
    )
    openssl(
        folder,
        "x509",
        "-req",
        "-in",
        f"{name}.csr",
        *signer,
        "-days",
        str(days),
        "-extfile",
        f"{name}.ext",
        "-out",
        f"{name}.pem",
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def old_protocol(folder: Path) -> ssl.SSLContext:
    """A good certificate under TLS 1.0 or 1.1 only."""
    context = certificate(folder, "old", "IP:127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


BAD: list[tuple[str, Callable[[Path], ssl.SSLContext]]] = [
    ("expired", lambda folder: certificate(folder, "expired", "IP:127.0.0.1", days=-1)),
    ("mismatch", lambda folder: certificate(folder, "wrong", "DNS:other.example")),
    (
        "self-signed",
        lambda folder: certificate(folder, "own", "IP:127.0.0.1", signed=False),
    ),
    ("handshake", old_protocol),
]


@contextlib.contextmanager
def served(
    folder: Path, context: ssl.SSLContext, authority: Path
) -> Iterator[tuple[Stage, dict[str, str]]]:
    """A night before a gateway that speaks TLS, and the environment that trusts our authority."""
    with Adversary(tls=context) as gateway:
        night = stage(folder, gateway)
        night.orders([order(number) for number in range(3)])
        yield night, {"PYTHONPATH": str(authority)}


@pytest.mark.fault("B04")
def test_a_certificate_that_holds(tmp_path: Path, authority: Path) -> None:
    """The same set-up with nothing wrong charges every order, so that the others fail for their
    reason.
    """
    with served(
        tmp_path, certificate(authority, "good", "IP:127.0.0.1"), authority
    ) as (
        night,
        environ,
    ):
        assert night.run("--summary", **environ).returncode == 0
        assert night.posts() == 3
        night.right()


@pytest.mark.fault("B04")
@pytest.mark.parametrize(
    ("word", "context"),
    [
        pytest.param(*bad, id=bad[0], marks=() if bad[0] in ("expired",) else SWEEP)
        for bad in BAD
    ],
)
def test_a_certificate_that_does_not_hold(
    tmp_path: Path,
    authority: Path,
    word: str,
    context: Callable[[Path], ssl.SSLContext],
) -> None:
    """Not sent, not even a head of a request; the message says what is wrong with it."""
    with served(tmp_path, context(authority), authority) as (night, environ):
        result = night.run("--summary", **environ)
        assert night.gateway.log == []
        nothing_left(night, result)
        assert word in result.stderr.lower(), result.stderr


@pytest.mark.fault("B04")
@SWEEP
@pytest.mark.parametrize("cut", [True, False], ids=["hangs up", "speaks no TLS"])
def test_a_handshake_that_comes_to_nothing(
    night: Stage, authority: Path, cut: bool
) -> None:
    """The other side hangs up within the handshake, or never begins it."""
    night.gateway.hang_up = lambda connection: cut
    night.job(url=night.gateway.url.replace("http:", "https:"), **QUICK)
    night.orders([order(1)])
    nothing_left(night, night.run("--summary", PYTHONPATH=str(authority)))


@pytest.mark.fault("B04")
@SWEEP
def test_no_unverified_fallback(tmp_path: Path) -> None:
    """Without the stand-in nobody trusts our authority: the environment cannot talk the program
    into it.
    """
    folder = tmp_path / "night"
    folder.mkdir()
    made = tmp_path / "authority"
    made.mkdir()
    openssl(
        made,
        "req",
        "-x509",
        *NEW_KEY,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=Test authority",
    )
    with served(folder, certificate(made, "good", "IP:127.0.0.1"), made) as (night, _):
        names = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
        trust = {
            **dict.fromkeys(names, str(made / "ca.pem")),
            "SSL_CERT_DIR": str(made),
            "PYTHONHTTPSVERIFY": "0",
        }
        result = night.run("--summary", **trust)
        assert night.gateway.log == []
        nothing_left(night, result)
