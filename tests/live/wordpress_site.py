"""A WordPress of Debian's packages on loopback: MariaDB, PHP and nginx of its own, all of it in one folder."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HOST = "portal.test"
PACKAGES = (
    "wordpress wordpress-theme-twentytwentythree nginx mariadb-server-core mariadb-client php-fpm php-mysql php-xml php-mbstring"
)
SHIPPED = Path("/usr/share/wordpress")

CONFIG = """<?php
define('DB_NAME', 'portal');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{folder}/mariadb.sock');
define('DB_CHARSET', 'utf8mb4');
define('WP_HOME', 'http://{host}');
define('WP_SITEURL', 'http://{host}');
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
foreach (array('AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE') as $name) {{
    define($name . '_KEY', 'prueba');
    define($name . '_SALT', 'prueba');
}}
$table_prefix = 'wp_';
require_once __DIR__ . '/wp-settings.php';
"""

MUST_USE = """<?php
add_action('init', function () {
    $shared = array('public' => true, 'supports' => array('title', 'editor', 'comments'), 'has_archive' => true);
    register_post_type('tramite', $shared + array('label' => 'Tramites', 'show_in_rest' => true, 'rest_base' => 'tramites'));
    register_post_type('obra', $shared + array('label' => 'Obras', 'show_in_rest' => false));
});
if (!empty($_SERVER['REST_CLOSED'])) {
    add_filter('rest_authentication_errors', function ($result) {
        return new WP_Error('rest_not_logged_in', 'Solo para quien tiene cuenta.', array('status' => 401));
    });
}
"""

FPM = """[global]
error_log = {folder}/fpm.log
daemonize = no
[www]
listen = {folder}/fpm.sock
pm = static
pm.max_children = 2
catch_workers_output = yes
"""

NGINX = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    types {{ text/css css; application/javascript js; }}
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""

SERVER = """    server {{
        listen 127.0.0.1:{port};
        root {folder}/wordpress;
        index index.php;
        {door}
        location / {{ try_files $uri $uri/ /index.php?$args; }}
        location ~ \\.php$ {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_param REST_CLOSED "{closed}";
            fastcgi_pass unix:{folder}/fpm.sock;
        }}
    }}
"""

DOORS = {"open": ("", ""), "unauthorised": ("", "1"), "forbidden": ("location /wp-json { return 403; }", "")}
"""Name of a way in -> what nginx says first, and whether WordPress's own API refuses."""


def install_packages() -> list[str]:
    """Install what is missing of Debian's packages (as root), and return "name version" of each.

    Services are not started: Debian's `policy-rc.d` is put in their way where there is none yet.
    """
    names = PACKAGES.split()
    known = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *names], capture_output=True, text=True, check=False
    )
    missing = sorted(set(names) - {line.split()[0] for line in known.stdout.splitlines() if line.endswith("ok installed")})
    policy = Path("/usr/sbin/policy-rc.d")
    if missing:
        ours = not policy.exists()
        if ours:
            policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
            policy.chmod(0o755)
        try:
            command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
            subprocess.run(
                command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            )
        finally:
            if ours:
                policy.unlink()
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names], capture_output=True, text=True, check=True
    )
    return [f"{'installed' if line.split()[0] in missing else 'there'}: {line}" for line in shown.stdout.splitlines()]


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Site:
    """One WordPress in one folder, reached at a port of its own for each way in (`DOORS`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(DOORS, free_ports(len(DOORS)), strict=True))
        self.running: list[subprocess.Popen[bytes]] = []
        self.php = "php"

    def start(self) -> None:
        """Start the database, copy WordPress, start PHP and nginx."""
        self._start_database()
        root = self.folder / "wordpress"
        shutil.copytree(SHIPPED, root, ignore_dangling_symlinks=True)
        (root / "wp-config.php").write_text(CONFIG.format(folder=self.folder, host=HOST), encoding="utf-8")
        plugins = root / "wp-content" / "mu-plugins"
        plugins.mkdir()
        (plugins / "portal.php").write_text(MUST_USE, encoding="utf-8")
        (self.folder / "fpm.conf").write_text(FPM.format(folder=self.folder), encoding="utf-8")
        servers = "".join(
            SERVER.format(folder=self.folder, port=self.ports[name], door=door, closed=closed)
            for name, (door, closed) in DOORS.items()
        )
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, servers=servers), encoding="utf-8")
        fpm = sorted(Path("/usr/sbin").glob("php-fpm8*"))[-1]
        self._run([str(fpm), "-R" if os.getuid() == 0 else "-F", "-F", "-y", str(self.folder / "fpm.conf")])
        user = ["-g", "user root;"] if os.getuid() == 0 else []
        self._run(["/usr/sbin/nginx", "-e", str(self.folder / "nginx.log"), *user, "-c", str(self.folder / "nginx.conf")])

    def _start_database(self) -> None:
        data, user = self.folder / "database", "root" if os.getuid() == 0 else os.environ.get("USER", "")
        shared = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
        command = ["mariadb-install-db", *shared, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        where = f"--socket={self.folder}/mariadb.sock"
        self._run(["/usr/sbin/mariadbd", *shared, "--skip-networking", where, f"--pid-file={self.folder}/mariadb.pid"])
        ask = ["mariadb", "--no-defaults", where, "-u", "root", "-e", "create database portal character set utf8mb4"]
        self._until(lambda: subprocess.run(ask, check=False, stderr=subprocess.DEVNULL).returncode == 0, "MariaDB")

    def _run(self, command: list[str]) -> None:
        log = (self.folder / f"{Path(command[0]).name}.out").open("wb")
        with log:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _until(self, ready: Any, name: str) -> None:
        for _ in range(300):
            if ready():
                return
            time.sleep(0.2)
        raise RuntimeError(f"{name} did not start; see {self.folder}")

    def fill(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Have WordPress make what a plan says; return the numbers that it gave (nothing where it installed itself)."""
        plan_file = self.folder / "plan.json"
        plan_file.write_text(json.dumps({"host": HOST, **plan}, ensure_ascii=False), encoding="utf-8")
        command = [self.php, str(HERE / "wordpress_fill.php"), str(self.folder / "wordpress"), str(plan_file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr + done.stdout)
        found: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        return found

    def fetch(self, door: str, path: str) -> tuple[int, bytes]:
        """Return status and body of one address, asked for through one of the doors."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[door]}{path}", headers={"Host": HOST})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return int(reply.status), reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self) -> None:
        """End the three servers."""
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait(30)
