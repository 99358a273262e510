"""Certificates for the API server of the tests and its clients, made by openssl."""

from dataclasses import dataclass
from pathlib import Path

from processes import run

DAYS = 2


@dataclass(frozen=True)
class Certificate:
    """Both files in PEM."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a directory of its own."""

    def __init__(self, directory: Path, name: str = "roadstead-tests"):
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._made = 0
        self.own = Certificate(directory / "ca.crt", directory / "ca.key")
        _make_key(self.own.key)
        run(["openssl", "req", "-x509", "-key", str(self.own.key), "-days", str(DAYS), "-subj", f"/CN={name}",
             "-out", str(self.own.certificate)])

    @property
    def file(self) -> Path:
        return self.own.certificate

    def server(self, *names: str, days: int = DAYS) -> Certificate:
        """For a server with these names and addresses; with `days=-1` one that expired yesterday."""
        kinds = [("IP" if name.replace(".", "").isdigit() or ":" in name else "DNS") + f":{name}" for name in names]
        return self._issue("/CN=kube-apiserver", f"subjectAltName={','.join(kinds)}\nextendedKeyUsage=serverAuth", days)

    def client(self, user: str, *groups: str) -> Certificate:
        """For a user, as Kubernetes reads a subject: the common name, and an organization for each group."""
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={user}"
        return self._issue(subject, "extendedKeyUsage=clientAuth", DAYS)

    def _issue(self, subject: str, extensions: str, days: int) -> Certificate:
        self._made += 1
        made = Certificate(self._directory / f"{self._made}.crt", self._directory / f"{self._made}.key")
        request, more = self._directory / f"{self._made}.csr", self._directory / f"{self._made}.ext"
        _make_key(made.key)
        more.write_text(extensions + "\n")
        run(["openssl", "req", "-new", "-key", str(made.key), "-subj", subject, "-out", str(request)])
        run(["openssl", "x509", "-req", "-in", str(request), "-CA", str(self.own.certificate),
             "-CAkey", str(self.own.key), "-CAcreateserial", "-days", str(days), "-extfile", str(more),
             "-out", str(made.certificate)])
        return made


def _make_key(path: Path) -> None:
    run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path)])
