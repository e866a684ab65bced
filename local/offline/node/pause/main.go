// Pause holds the namespaces of a pod open and reaps the processes that its containers leave behind.
//
// One of it runs for every pod, which is why it stays a program of its own: kubenode would hold some fifty megabytes
// each time.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		reap()
	}
}

// reap waits for every child that has ended: one SIGCHLD may stand for many.
func reap() {
	for {
		process, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if process <= 0 || err != nil {
			return
		}
	}
}
