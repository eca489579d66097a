#!/bin/sh
# Unpacks moto, which stands for AWS in the tests of amazonec2, from Debian's packages into build/moto.
# Debian 12 has no moto; that of Debian 13 is pure Python and runs with the Python of both.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
target=${DOCKER_MACHINE_MOTO:-$root/build/moto}
[ -d "$target/usr/lib/python3/dist-packages/moto" ] && exit 0
newer="moto responses botocore boto3 s3transfer urllib3 requests openssl"
either="typing-extensions antlr4 dateutil jmespath certifi charset-normalizer idna chardet colorama click itsdangerous markupsafe
 jinja2 werkzeug flask flask-cors xmltodict cryptography cffi-backend yaml six"
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-trixie}")
wanted=
for name in $newer; do wanted="$wanted python3-$name/trixie"; done
for name in $either; do wanted="$wanted python3-$name/$codename"; done
exec sh "$root/scripts/unpack-debian.sh" "$target" $wanted
