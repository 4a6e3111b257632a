# The go command: build with its cache, vet, test with the race-free runtime, run; a static program and a panic's status.
exec 2>&1
export GOCACHE=/tmp/gocache GOPATH=/tmp/gopath GOFLAGS=-mod=mod GO111MODULE=on GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=${CGO_ENABLED:-0}
mkdir -p /tmp/go && cd /tmp/go && cp /t/main.go.txt main.go
go mod init example; go version | cut -d' ' -f1-2; go vet ./... && go build -o prog . && ./prog
printf 'package main\nimport "testing"\nfunc TestOne(t *testing.T) { t.Parallel() }\nfunc TestTwo(t *testing.T) { t.Parallel() }\n' >main_test.go; go test -v -run 'One|Two' . | grep -c -- '--- PASS'
printf 'package main\nfunc main() { var m map[int]int; m[1] = 1 }\n' >/tmp/bad.go; go run /tmp/bad.go 2>&1 | head -n 1; gofmt -l .; go list; GODEBUG=gctrace=1 ./prog 2>&1 >/dev/null | grep -c '^gc' | awk '{print ($1 > 0)}'; GOGC=1 GOMAXPROCS=2 ./prog | tail -n 1
