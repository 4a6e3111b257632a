# git: init, commit, branch, merge with a conflict, rebase, stash, clone, fetch, push, gc, fsck, bisect, worktrees, hooks.
exec 2>&1
export LC_ALL=C TZ=UTC GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' HOME=/tmp/git
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@x GIT_PAGER=cat GIT_EDITOR=true GIT_PROGRESS_DELAY=100
mkdir -p /tmp/git && cd /tmp/git
git config --global init.defaultBranch main; git config --global advice.detachedHead false; git config --global protocol.file.allow always
git init one; cd one
for n in $(seq 1 60); do echo "line $n of a file" >"f$n"; mkdir -p "d$((n % 5))"; seq "$n" $((n * 30)) >"d$((n % 5))/data$n"; done
git add .; git commit -qm first; git log --oneline; git status --short; git rev-parse HEAD
for n in 1 2 3 4 5; do echo "change $n" >>f1; git commit -qam "change $n"; done; git log --format='%h %s %an'
git checkout -qb side HEAD~2; echo side >f2; git commit -qam side; git checkout -q main; git merge side; git log --graph --oneline | head
git checkout -qb conflict HEAD~1; echo theirs >f1; git commit -qam theirs; git checkout -q main; echo ours >f1; git commit -qam ours; git merge conflict; echo "status $?"; cat f1; echo solved >f1; git commit -qam solved; git show --stat HEAD | tail -n 3
echo dirty >f3; git stash; git stash list; git stash pop; git diff; git checkout f3; git mv f4 g4; git rm -q f5; git status -s; git commit -qm moved; git diff --stat -M HEAD~1
git tag -a v1 -m one; git describe; git blame -s f2; git grep -c 'line 1' | wc -l; git cherry-pick -x side; git rebase HEAD~1; git reset -q --hard v1; git clean -fdx; git reflog | wc -l
git clone -q . ../two; cd ../two; git log --oneline | wc -l; echo two >f10; git commit -qam two; git push -q origin HEAD:from-two; cd ../one; git branch -a; git merge -q from-two; git log -1 --format=%s
cd ..; git clone -q --bare one bare.git; git clone -q "file:///tmp/git/bare.git" three; cd three; git fetch --all -q; git log -1 --format=%H; git remote -v; git archive HEAD | tar t | wc -l; git format-patch -1 --stdout | head -n 5; git bundle create -q ../b.bundle main; git bundle verify -q ../b.bundle; echo $?
cd ../one; git gc -q; git count-objects -v | grep -E 'count|packs|garbage'; git fsck --full; git repack -adfq --window=5; git verify-pack -v .git/objects/pack/*.idx | tail -n 1 | cut -d: -f1; git prune; git worktree add -q ../wt HEAD~1; git -C ../wt status -sb; git worktree list | wc -l; git worktree remove ../wt
printf '#!/bin/sh\necho "hook ran $1"\n' >.git/hooks/post-commit; chmod +x .git/hooks/post-commit; echo h >>f6; git commit -qam hooked; git bisect start -q HEAD HEAD~4; git bisect run sh -c 'test ! -e g4' | grep 'first bad'; git bisect reset -q; git submodule -q add ../bare.git sub; git commit -qm submodule; git submodule status | cut -c43-; git ls-files -s | md5sum; git update-index --refresh; git -c core.fsync=all commit -q --allow-empty -m empty; git rev-list --count HEAD; git cat-file -p HEAD | head -n 4; git shortlog -s HEAD; git -c gc.auto=1 gc --auto -q; rm .git/objects/pack/*.idx; git fsck 2>&1 | head -n 1 | cut -c1-5
