package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pgext/pgext/internal/pgtest/testdata/fakepg/behaviour"
)

// Files in the server's run folder, which lasts as long as the sandbox.
const (
	runDir  = "/run/postgresql/"
	pidFile = runDir + "pid"
	// logFile has what psql gives the server to write to its log.
	logFile    = runDir + "log"
	startsFile = runDir + "starts"
	// argsFile has the server's arguments, a line each.
	argsFile = runDir + "args"
)

const (
	readyLine = "@postmaster||00000|| LOG:  database system is ready to accept connections\n"
	crashLine = "@postmaster||00000|| LOG:  client backend (PID 12) was terminated by signal 11: Segmentation fault\n" +
		"@postmaster||00000|| LOG:  terminating any other active server processes\n"
)

func postgres(b behaviour.Behaviour) {
	text, _ := os.ReadFile(startsFile)
	n, _ := strconv.Atoi(string(text))
	if err := os.WriteFile(startsFile, []byte(strconv.Itoa(n+1)), 0o600); err != nil {
		fail(err)
	}
	if n < len(b.Starts) {
		fmt.Print(b.Starts[n].Log)
		if b.Starts[n].Exit != 0 {
			os.Exit(b.Starts[n].Exit)
		}
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1)
	if err := os.WriteFile(argsFile, []byte(strings.Join(os.Args, "\n")+"\n"), 0o600); err != nil {
		fail(err)
	}
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		fail(err)
	}
	fmt.Print(readyLine)
	for sig := range signals {
		switch sig {
		case syscall.SIGUSR1:
			text, _ := os.ReadFile(logFile)
			fmt.Print(string(text))
			if strings.Contains(string(text), crashLine) {
				if b.NoRecovery {
					os.Remove(pidFile)
					os.Remove(logFile)
					os.Exit(1)
				}
				fmt.Print(readyLine)
			}
			os.Remove(logFile)
		case syscall.SIGQUIT:
			os.Exit(2)
		default:
			os.Remove(pidFile)
			os.Exit(b.StopExit)
		}
	}
}

// writeLog has the server write text to its log.
func writeLog(text string) {
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(logFile, []byte(text), 0o600); err != nil {
		fail(err)
	}
	n, _ := strconv.Atoi(string(pid))
	if err := syscall.Kill(n, syscall.SIGUSR1); err != nil {
		fail(err)
	}
	for {
		if _, err := os.Stat(logFile); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
