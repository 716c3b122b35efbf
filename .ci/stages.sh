# Stages of a CI run: sourced by .ci/run and .ci/full. Each shows its output; what its tests say is counted, or itself when it says nothing.
# What failed is named once more at the end, where it is seen without reading the rest.
passed=0
failed=0
log=$(mktemp -d)

stage() { # stage NAME COMMAND...
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$log/$name"
  local code=${PIPESTATUS[0]}
  local ok bad
  sed -i 's/\x1b\[[0-9;]*m//g' "$log/$name"
  ok=$(grep -E '^ +Tests ' "$log/$name" | grep -oE '[0-9]+ passed' | awk '{s += $1} END {print s + 0}')
  bad=$(grep -E '^ +Tests ' "$log/$name" | grep -oE '[0-9]+ failed' | awk '{s += $1} END {print s + 0}')
  passed=$((passed + ok))
  failed=$((failed + bad))
  if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then failed=$((failed + 1)); fi
  if [ "$code" -eq 0 ] && [ "$ok" -eq 0 ]; then passed=$((passed + 1)); fi
  if [ "$code" -ne 0 ]; then failures "$name" "$code" >>"$log/failures"; fi
  return "$code"
}

failures() { # failures NAME CODE: what a failed stage says of it, the end of its output when it names no test
  printf '\n== %s ended with %s\n' "$1" "$2"
  grep -E -A 12 '^ *FAIL ' "$log/$1" || tail -n 40 "$log/$1"
}

finish() {
  [ -f "$log/failures" ] && cat "$log/failures"
  printf '\n%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}

install_clients() {
  command -v openstack >/dev/null && command -v glance >/dev/null && command -v qemu-img >/dev/null && command -v mke2fs >/dev/null &&
    command -v keystone-manage >/dev/null && command -v chromium >/dev/null && command -v swift-proxy-server >/dev/null && return 0
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    python3-openstackclient python3-glanceclient python3-openstacksdk python3-keystone qemu-utils e2fsprogs chromium \
    swift-proxy swift-account swift-container swift-object >/dev/null
}

# Programs that use an image service. Tests of those that are missing are skipped elsewhere, and fail here.
export GLIMPSE_REQUIRE_CONSUMERS=1
install_consumers() {
  local packages=(python3-nova python3-cinder)
  dpkg-query -W "${packages[@]}" >/dev/null 2>&1 && return 0
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

# Those of the full run: Tempest, the dashboard, gophercloud.
install_more_consumers() {
  local packages=(tempest openstack-dashboard gunicorn golang-github-gophercloud-gophercloud-dev)
  command -v go >/dev/null || packages+=(golang-go)
  dpkg-query -W "${packages[@]}" >/dev/null 2>&1 && return 0
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

# The current clients of OpenStack beside Debian's, and its acceptance suite.
export GLIMPSE_CURRENT_OPENSTACK=${XDG_CACHE_HOME:-$HOME/.cache}/glimpse-openstack
current_openstack=(python-openstackclient==10.5.0 python-glanceclient==4.13.0 openstacksdk==4.22.0
  tempest==47.0.0 glance-tempest-plugin==0.17.0)
install_current_openstack() {
  local installed
  installed=$("$GLIMPSE_CURRENT_OPENSTACK/bin/pip" freeze 2>/dev/null | grep -cxF "$(printf '%s\n' "${current_openstack[@]}")")
  [ "$installed" = "${#current_openstack[@]}" ] && return 0
  has_venv && python3 -m venv "$GLIMPSE_CURRENT_OPENSTACK" &&
    "$GLIMPSE_CURRENT_OPENSTACK/bin/pip" -q install "${current_openstack[@]}"
}

has_venv() {
  python3 -c 'import ensurepip' 2>/dev/null ||
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; }
}

judges=${XDG_CACHE_HOME:-$HOME/.cache}/glimpse-judges
export GLIMPSE_SCHEMATHESIS=$judges/bin/schemathesis
# Apart from schemathesis, which needs other versions of the same libraries.
aws_judges=$judges-aws
export GLIMPSE_PARLIAMENT=$aws_judges/bin/parliament GLIMPSE_CFN_LINT=$aws_judges/bin/cfn-lint
moto=$aws_judges/bin/moto_server

install_judges() { # programs of others that judge parts of this project
  [ -x "$GLIMPSE_SCHEMATHESIS" ] && [ -x "$moto" ] && return 0
  has_venv && python3 -m venv "$judges" && "$judges/bin/pip" -q install schemathesis==4.32.5 &&
    python3 -m venv "$aws_judges" && "$aws_judges/bin/pip" -q install parliament==1.6.4 cfn-lint==1.58.0 'moto[server]==5.2.5'
}

# LocalStack, where nothing is served by a container: each function is a process.
localstack=${XDG_CACHE_HOME:-$HOME/.cache}/glimpse-localstack
export GLIMPSE_LOCALSTACK=$localstack/bin/python
export GLIMPSE_REQUIRE_LOCALSTACK=1

install_localstack() { # the plugin is ours: a copy of what is here, every time
  if ! "$GLIMPSE_LOCALSTACK" -m pip -q show localstack-core >/dev/null 2>&1; then
    has_venv && python3 -m venv "$localstack" &&
      "$GLIMPSE_LOCALSTACK" -m pip -q install -c test/localstack/constraints.txt 'localstack-core[runtime]==4.13.1' || return 1
  fi
  "$GLIMPSE_LOCALSTACK" -m pip -q install --no-deps --force-reinstall ./test/localstack/plugin
}

install_all() { # What the tests need. Without it nothing else can be run.
  stage clients install_clients && stage consumers install_consumers && stage current-openstack install_current_openstack &&
    stage judges install_judges && stage localstack install_localstack && stage install npm ci
}

all_tests() {
  stage tests npm test
  stage acceptance npm run test:acceptance
  stage judge npm run judge
}
