#!/bin/sh
# Make the secrets of compose.yaml, once: sh deploy/secrets.sh
#
# They lie in deploy/secrets, which only you may enter. Files that other images read as another user are open inside it;
# Aquatint's own is read by a container that runs under your number, and insists that nobody else may.
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
    echo "deploy/secrets is there already; nothing was changed" >&2
    exit 1
fi

random() {
    head -c 32 /dev/urandom | base64 | tr -d '=+/\n' | cut -c 1-"$1"
}

umask 077
mkdir secrets
database=$(random 40)
secret=$(random 40)
key=aq_$(random 40)
signing=whsec_$(head -c 32 /dev/urandom | base64 | tr -d '\n')

printf '%s' "$database" > secrets/postgres-password
cat > secrets/s3.json <<JSON
{"identities": [{"name": "aquatint", "credentials": [{"accessKey": "aquatint", "secretKey": "$secret"}],
                 "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
JSON
cat > secrets/aquatint.toml <<TOML
# Only secrets belong here; keys of providers, too, such as:
# [modelark]
# api_key = "…"
[server]
api_key = "$key"

[database]
url = "postgresql://aquatint:$database@postgres/aquatint"

[assets]
s3_secret_key = "$secret"

[webhooks]
secret = "$signing"
TOML
chmod 644 secrets/postgres-password secrets/s3.json
user=$(id -u) group=$(id -g)
if [ "$user" = 0 ]; then # no container of ours needs to be root because you are
    user=10001 group=10001
    chown "$user:$group" secrets/aquatint.toml
fi
printf 'AQUATINT_UID=%s\nAQUATINT_GID=%s\n' "$user" "$group" > .env
echo "deploy/secrets and deploy/.env were made. Your API key: $key"
