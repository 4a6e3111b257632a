# javac, then the program under each collector; a JVM that TERM ends runs its hooks.
exec 2>&1
mkdir -p /tmp/java && cd /tmp/java
javac -XDignore.symbol.file -nowarn -d . /t/Main.java 2>&1 | grep -v -e warning -e sun.misc -e '\^'
for collector in Serial Parallel G1; do echo "== $collector"; java -Xmx200m -XX:+Use${collector}GC Main; echo "status $?"; done
java -Xint -Xmx100m -cp . Main | tail -n 2
java -version 2>&1 | head -n 1; jar cf m.jar Main.class && jar tf m.jar | sort; jps | awk '{print $2}'
