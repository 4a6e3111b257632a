# inotify-tools watch a folder while others change it.
exec 2>&1
mkdir -p /tmp/in/d && cd /tmp/in
inotifywait -q -t 10 -e create . & w=$!; sleep 0.5; touch seen; wait $w; echo $?
inotifywait -q -m -r -t 2 --format '%w %e %f' . >/tmp/log & w=$!
sleep 0.7; echo x >d/f; mv d/f d/g; chmod 600 d/g; cat d/g >/dev/null; ln d/g h; rm d/g h; mkdir d/new; rmdir d/new; touch -d @0 seen
wait $w; cat /tmp/log
inotifywait -q -t 1 d; echo $?
inotifywait -q /nonexistent; echo $?
