"""The scripts that passwordless access runs in a guest, as constants: nothing is ever put into their text.

For Linux they are plain POSIX shell without functions; each may run twice, and says in its last lines what it
found, since only the end of an output is kept. Sources: sshd_config(5) (the first value of a keyword wins;
what follows `Match` overrides it), sshd(8) (`-t` checks, `-T` shows what is in force).
"""

DROP_IN = "/etc/ssh/sshd_config.d/10-readiness-no-passwords.conf"
"""Read before cloud-init's own file, whose name begins with 50; the first value wins."""

_BEGIN = f"""\
set -u
LC_ALL=C
export LC_ALL
PATH="$PATH:/usr/sbin:/sbin"
export PATH
main=/etc/ssh/sshd_config
dropin={DROP_IN}
cloud=/etc/cloud/cloud.cfg.d/99-readiness-no-passwords.cfg
keywords='^(passwordauthentication|kbdinteractiveauthentication|challengeresponseauthentication) '
"""

_REMOVE = """\
rm -f "$dropin" "$cloud" "$main.readiness"
if grep -q '^# BEGIN readiness' "$main"; then
  sed -i '/^# BEGIN readiness/,/^# END readiness/d' "$main"
fi
"""

_RELOAD = """\
if command -v systemctl >/dev/null 2>&1; then
  unit=
  for name in ssh sshd; do
    if [ -z "$unit" ] && systemctl is-active --quiet "$name"; then unit=$name; fi
  done
  if [ -n "$unit" ]; then
    systemctl reload "$unit" && systemctl is-active --quiet "$unit" || failed='sshd did not reload'
  elif ! systemctl is-active --quiet ssh.socket; then
    failed='sshd does not run'
  fi
else
  service ssh reload || service sshd reload || failed='sshd did not reload'
fi
"""

CLOSE_PASSWORDS = f"""\
{_BEGIN}
failed=
closed=no
trap 'if [ "$closed" != yes ]; then
{_REMOVE.replace("'", '"')}
if sshd -t; then
  systemctl reload-or-restart ssh || systemctl reload-or-restart sshd || service sshd restart
fi
echo "readiness: passwords are as they were"
fi' EXIT
trap 'exit 1' HUP INT TERM

if ! sshd -T >/dev/null; then
  echo 'readiness: sshd refuses its configuration as it is'
  exit 10
fi
for file in "$main" /etc/ssh/sshd_config.d/*.conf; do
  [ -f "$file" ] || continue
  if sed -n '/^[[:space:]]*[Mm][Aa][Tt][Cc][Hh][[:space:]]/,$p' "$file" |
    grep -Eiq '^[[:space:]]*(password|kbdinteractive|challengeresponse)authentication[[:space:]="]+yes'; then
    echo "readiness: a Match block in $file lets passwords in"
    exit 11
  fi
done

was=$(grep -hs '^# before: ' "$dropin" "$main" | head -n 1 | sed 's/^# before: //')
[ -n "$was" ] || was=$(sshd -T | grep -i '^passwordauthentication ')
settings="# Written by readiness: nobody signs in with a password. Remove this to allow it again.
# before: $was
PasswordAuthentication no
KbdInteractiveAuthentication no
ChallengeResponseAuthentication no"
include='^[[:space:]]*include[[:space:]].*sshd_config\\.d/'
if [ -d /etc/ssh/sshd_config.d ] && grep -Eiq "$include" "$main"; then
  printf '%s\\n' "$settings" >"$dropin" && chmod 600 "$dropin" || exit 12
fi
if sshd -T | grep -Ei "$keywords" | grep -Eiq ' yes$' && ! grep -q '^# BEGIN readiness' "$main"; then
  cp -p "$main" "$main.readiness" || exit 12
  printf '# BEGIN readiness\\n%s\\n# END readiness\\n' "$settings" >"$main.readiness" || exit 12
  cat "$main" >>"$main.readiness" && mv -f "$main.readiness" "$main" || exit 12
fi
if [ -d /etc/cloud/cloud.cfg.d ]; then
  printf 'ssh_pwauth: false\\n' >"$cloud" || exit 12
fi
if ! sshd -t; then
  echo 'readiness: sshd refuses the new configuration'
  exit 13
fi
{_RELOAD}
if [ -n "$failed" ]; then
  echo "readiness: $failed"
  exit 14
fi
sshd -T | grep -Ei "$keywords"
if sshd -T | grep -Ei "$keywords" | grep -Eiq ' yes$'; then
  echo 'readiness: something else still lets passwords in'
  exit 15
fi
if ! sshd -T | grep -Eiq '^passwordauthentication no$'; then
  echo 'readiness: sshd does not say that passwords are off'
  exit 15
fi
closed=yes
"""
"""Switches passwords off in sshd, and takes that back itself if anything of it fails."""

OPEN_PASSWORDS = f"""\
{_BEGIN}
failed=
was=$(grep -hs '^# before: ' "$dropin" "$main" | head -n 1 | sed 's/^# before: //')
{_REMOVE}
if ! sshd -t; then
  echo 'readiness: sshd refuses its configuration'
  exit 13
fi
{_RELOAD}
if [ -n "$failed" ]; then
  echo "readiness: $failed"
  exit 14
fi
if [ -n "$was" ] && ! sshd -T | grep -Eiq "^$was\\$"; then
  echo "readiness: sshd does not say '$was' as it did before"
  exit 15
fi
sshd -T | grep -Ei "$keywords"
echo 'readiness: passwords are as they were'
"""
"""Takes `CLOSE_PASSWORDS` back, and holds sshd against what it said before."""

LIST_LOGINS = """\
set -u
LC_ALL=C
export LC_ALL
now=$(date +%s)
days=
n=0
while [ "$n" -le 30 ]; do
  days="$days|$(date -d "@$((now - n * 86400))" '+^%b %e |^%Y-%m-%dT')"
  n=$((n + 1))
done
days=${days#|}
seen=$(mktemp) || exit 20
trap 'rm -f "$seen"' EXIT
if command -v journalctl >/dev/null 2>&1; then
  journalctl -q --no-pager --since '30 days ago' -t sshd -t sshd-session >>"$seen" 2>/dev/null
fi
for file in /var/log/auth.log* /var/log/secure*; do
  [ -f "$file" ] || continue
  if [ "${file%.gz}" != "$file" ]; then gzip -dc "$file"; else cat "$file"; fi |
    grep -E "$days" >>"$seen"
done
sshd='^[^]]*sshd[a-z-]*\\[[0-9]+\\]: Accepted'
grep -E "$sshd publickey for " "$seen" |
  sed -E 's/^[^]]*\\]: Accepted [^ ]+ for ([^ ]+) from .*/key-login \\1/' | sort -u
grep -E "$sshd (password|keyboard-interactive[^ ]*) for " "$seen" |
  sed -E 's/^[^]]*\\]: Accepted [^ ]+ for ([^ ]+) from .*/password-login \\1/' | sort -u
echo 'readiness: logins of the last 30 days are listed'
"""
"""Lists who came in by SSH in the last 30 days, and how. What is in an account's file of keys proves nothing.

A line counts only if what follows its first process number is the server's own word: a name that somebody
makes up in trying to sign in comes later in its line. An Entra account signs in by a certificate, which is a
public key too.
"""

PROVE_WORKGROUP = """\
if ((Get-CimInstance -ClassName Win32_ComputerSystem).PartOfDomain) { 'domain' } else { 'workgroup' }
"""
"""Tells whether a Windows VM is in a domain: then it must not join Entra."""
