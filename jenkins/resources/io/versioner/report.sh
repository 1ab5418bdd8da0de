# shellcheck shell=sh
# Calls versioner-ci for the Jenkins library. All that users and hosts say comes in variables; VERSIONER_HOOK_* are the
# library's own. Prints the JSON of `versioner-ci report`, if it ran, and a last line `exit WORD`: see Answer.groovy.
{ set +ex; } 2>/dev/null
unset IFS
say() { printf 'versioner-ci: %s\n' "$1" >&2; }
file=
trap '[ -z "$file" ] || rm -f "$file"' EXIT
trap 'exit 143' HUP INT TERM
leave() {
  printf '\nexit %s\n' "$1"
  exit 0
}

case ${VERSIONER_DISABLED:-} in
  1 | [Tt] | [Yy] | [Tt][Rr][Uu][Ee] | [Yy][Ee][Ss] | [Oo][Nn])
    say 'switched off by VERSIONER_DISABLED: nothing is sent'
    leave 0
    ;;
esac

set -- --json
# The arguments of a process are for all users to see.
if [ -n "${VERSIONER_HOOK_ERROR:-}" ]; then
  file=$(umask 077 && mktemp) && printf '%s' "$VERSIONER_HOOK_ERROR" >"$file" && set -- "$@" "--error-file=$file"
fi
[ -z "${VERSIONER_HOOK_ERROR_CODE:-}" ] || set -- "$@" "--error-code=$VERSIONER_HOOK_ERROR_CODE"
[ -z "${VERSIONER_HOOK_REASON:-}" ] || set -- "$@" "--reason=$VERSIONER_HOOK_REASON"
if [ -n "${VERSIONER_HOOK_STATUS:-}" ]; then
  set -- "$VERSIONER_HOOK_KIND" "$VERSIONER_HOOK_STATUS" "$@"
else
  set -- "$VERSIONER_HOOK_KIND" "--host-status=${VERSIONER_HOOK_HOST_STATUS:-}" "$@"
fi

code=none
if command -v versioner-ci >/dev/null 2>&1; then
  versioner-ci report "$@" </dev/null
  code=$?
else
  python=
  for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
    command -v "$name" >/dev/null 2>&1 || continue
    "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' </dev/null >/dev/null 2>&1 || continue
    python=$name
    break
  done
  if [ -z "$python" ]; then
    say 'warning: neither versioner-ci nor Python 3.10 or newer is on this agent: nothing is reported'
  else
    core=$("$python" -I -c "$VERSIONER_HOOK_FIND" </dev/null)
    case $?/$core in
      0/*.pyz)
        "$python" -I "$core" report "$@" </dev/null
        code=$?
        ;;
      0/?*)
        "$core/bin/python" -I -m versioner_ci report "$@" </dev/null
        code=$?
        ;;
      7/*) leave absent ;;
    esac
  fi
fi
case $code in
  0 | 4 | 5 | none) ;;
  *) say "warning: versioner-ci ended with exit code $code: nothing is reported" ;;
esac
if [ "$code" = none ] && [ "$VERSIONER_HOOK_KIND/${VERSIONER_HOOK_STATUS:-}" = deployment/started ]; then
  case ${VERSIONER_GATE:-} in
    '' | [Oo][Nn] | [Oo][Ff][Ff]) ;;
    *) leave shut ;;
  esac
fi
leave "$code"
