"""Newman, the command line of Postman: one request, the orders as its iteration data. Installed by
npm on first use.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

HOME = Path(tempfile.gettempdir()) / "batchpay-bench-newman"
PACKAGE = "newman@6"


def command() -> tuple[list[str], str]:
    """How to start it; or no words and the reason why it cannot be had."""
    if not (shutil.which("node") and shutil.which("npm")):
        return [], "node or npm is not installed"
    program = HOME / "node_modules/.bin/newman"
    if not program.exists():
        words = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(HOME),
            PACKAGE,
        ]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=300, check=False
            )
        except subprocess.TimeoutExpired:
            return [], "npm did not install it within 300 s"
        if done.returncode or not program.exists():
            return (
                [],
                f"npm could not install it: {(done.stderr or done.stdout).strip()[:100]}",
            )
    return [str(program)], ""


def collection(folder: Path, url: str) -> Path:
    """A collection with the one request; amounts go as the whole part, which is all its variables
    can do.
    """
    fields = {
        "amount": "2000",
        "currency": "thb",
        "destination": "{{recipient}}",
        "card": "{{card}}",
        "description": "{{item}} from {{shop}}",
        "metadata[order_id]": "{{order_id}}",
        "metadata[invoice]": "{{invoice}}",
    }
    request = {
        "method": "POST",
        "url": f"{url}/charges",
        "auth": {
            "type": "basic",
            "basic": [
                {"key": "username", "value": "skey_test_0123456789abcdef"},
                {"key": "password", "value": ""},
            ],
        },
        "body": {
            "mode": "urlencoded",
            "urlencoded": [{"key": k, "value": v} for k, v in fields.items()],
        },
    }
    check = [
        "pm.test('paid', () => pm.expect(pm.response.json().status).to.eql('successful'));"
    ]
    item = {
        "name": "charge",
        "request": request,
        "event": [{"listen": "test", "script": {"exec": check}}],
    }
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    path = folder / "collection.json"
    path.write_text(
        json.dumps({"info": {"name": "bench", "schema": schema}, "item": [item]}),
        "utf-8",
    )
    return path
