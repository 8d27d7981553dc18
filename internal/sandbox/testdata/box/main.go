// Command box is the only program in the root file systems of the tests.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(verb string, args []string) error {
	switch verb {
	case "id":
		host, err := os.Hostname()
		groups, _ := os.Getgroups()
		fmt.Println(os.Getuid(), os.Geteuid(), os.Getgid(), groups, host)
		return err
	case "capabilities":
		status, err := os.ReadFile("/proc/self/status")
		os.Stdout.Write(status)
		return err
	case "list":
		entries, err := os.ReadDir(args[0])
		for _, e := range entries {
			fmt.Println(e.Name())
		}
		return err
	case "write":
		return os.WriteFile(args[0], []byte("written"), 0o600)
	case "cat":
		b, err := os.ReadFile(args[0])
		os.Stdout.Write(b)
		return err
	case "copy":
		_, err := io.Copy(os.Stdout, os.Stdin)
		return err
	case "/bin/foreign": // box is its emulator
		fmt.Println("emulating with", args)
	case "environment":
		fmt.Println(os.Environ())
	case "exit":
		code, _ := strconv.Atoi(args[0])
		os.Exit(code)
	case "kill":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "dial":
		_, err := net.DialTimeout("tcp", args[0], time.Second)
		return err
	case "listen":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			c.Close()
		}
		return err
	case "wait":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("waiting")
		<-c
		fmt.Println("stopping")
	case "family": // a child in a session of its own that outlives its parent
		cmd := exec.Command("/proc/self/exe", "wait")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return err
		}
		fmt.Println("has a child")
	case "hold": // a child that holds the output, in its parent's session or one of its own
		cmd := exec.Command("/proc/self/exe", "wait")
		cmd.Stdout, cmd.SysProcAttr = os.Stdout, &syscall.SysProcAttr{Setsid: args[0] == "alone"}
		if err := cmd.Start(); err != nil {
			return err
		}
		if args[1] == "stay" {
			return cmd.Wait()
		}
	}
	return nil
}
