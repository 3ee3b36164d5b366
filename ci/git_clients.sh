#!/usr/bin/env bash
# Uploads files through the API, then reads them from the data folder with git and git-lfs.
#
#     bash ci/git_clients.sh URL DATA SCRATCH
set -euo pipefail
url="$1" data="$2" scratch="$3"
name=ada password="seven lathes hum at dawn"

# Without the git settings of this machine, and with git-lfs installed for this user as its manual says.
export HOME="$scratch/home" GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME" "$scratch/files"
git lfs install >/dev/null

call() { curl -fsS -o "$scratch/answer" -H "$bearer" "$@"; }
# A filename as one segment of the path.
segment() { python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe=""))' "$1"; }

curl -fsS -o "$scratch/answer" "$url/auth/register" -H 'Content-Type: application/json' \
    -d "{\"username\": \"$name\", \"password\": \"$password\", \"display_name\": \"Ada L\", \"email\": \"ada@example.com\"}"
curl -fsS -o "$scratch/answer" "$url/auth/token" -d "username=$name" --data-urlencode "password=$password"
bearer="Authorization: Bearer $(python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])' <"$scratch/answer")"

cd "$scratch/files"
mkdir -p fixtures
head -c 5000000 /dev/urandom >"vise.step"
head -c 70000 /dev/urandom >"fixtures/jaw left.sldprt"
printf 'G21\nG0 X0\n' >"fixtures/été.nc"
: >"empty.mcam"
count=0
while IFS= read -r -d '' file; do
    call -X PUT "$url/api/files/$(segment "$file")/content" -F "file=@$file" -F "comment=adds $file"
    count=$((count + 1))
done < <(find . -type f -printf '%P\0')

# A second revision of one file, with a comment that git could misread.
head -c 6000000 /dev/urandom >"vise.step"
comment=$'jaws 0.2 mm wider\n\n# not a comment: "quoted", été'
call -X POST "$url/api/files/vise.step/checkout"
call -X POST "$url/api/files/vise.step/checkin" -F "file=@vise.step" -F "comment=$comment"
count=$((count + 1))

bare="$(find "$data" -type d -name main.git -print -quit)"
[ -n "$bare" ] || { echo "no main.git in $data" >&2; exit 1; }
git -C "$bare" fsck --strict --no-dangling
git clone --quiet "$bare" "$scratch/clone"
cd "$scratch/clone"
git fsck --strict --no-dangling
git lfs fsck

# The clone has exactly these files and .gitattributes, byte for byte.
diff -r --exclude=.git --exclude=.gitattributes "$scratch/files" "$scratch/clone"
tracked="$(git lfs ls-files --name-only | wc -l)"
# git-lfs stores an empty file as it is, without a pointer
[ "$tracked" -ge $((count - 2)) ] || { echo "git-lfs tracks $tracked files" >&2; exit 1; }
git check-attr lockable -- vise.step | grep -q 'lockable: set' || { echo "files are not lockable" >&2; exit 1; }

commits="$(git rev-list --count HEAD)"
[ "$commits" = "$count" ] || { echo "$commits commits for $count changes" >&2; exit 1; }
last="$(git log -1 --format='%an <%ae>%n%B' -- vise.step)"
[ "$last" = "Ada L <ada@example.com>"$'\n'"$comment" ] || { printf 'the last commit says:\n%s\n' "$last" >&2; exit 1; }
before="$(git show HEAD~1:vise.step | git lfs smudge | wc -c)"
[ "$before" = 5000000 ] || { echo "the first revision is $before bytes" >&2; exit 1; }
echo "git and git-lfs read $count changes from the data folder, byte for byte"
