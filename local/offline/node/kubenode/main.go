// Kubenode is every Kubernetes program of a one-node cluster in a single binary; the name it is called by picks one.
//
// It exists for machines that reach Go's module proxy and a Debian mirror but no image registry: there it takes the
// place of the programs that kindest/node carries. To add one more, add a line to `components` and a link in
// ../Dockerfile. What needs no Kubernetes code does not belong here (see ../pause).
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"

	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// components maps a program's name to what runs it and gives its exit code.
var components = map[string]func() int{
	"kube-apiserver":          command(apiserver.NewAPIServerCommand),
	"kube-controller-manager": command(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          command(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kube-proxy":              command(proxy.NewProxyCommand),
	"kubelet":                 command(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
	"kubectl":                 command(kubectl.NewDefaultKubectlCommand),
	"kubeadm":                 fallible(kubeadm.Run),
	"etcd":                    returning(func() { etcdmain.Main(os.Args) }),
	"coredns":                 returning(serveDNS),
	"crictl":                  fallible(crictl),
}

func main() {
	name := filepath.Base(os.Args[0])
	run, known := components[name]
	if !known {
		fmt.Fprintf(os.Stderr, "kubenode: call it by a component's name, not %q\n", name)
		os.Exit(2)
	}
	os.Exit(run())
}

func command(build func() *cobra.Command) func() int {
	return func() int { return cli.Run(build()) }
}

func fallible(run func() error) func() int {
	return func() int {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
}

func returning(run func()) func() int {
	return func() int { run(); return 0 }
}

// serveDNS runs CoreDNS with the plugins of the Corefile that kubeadm writes, in CoreDNS's own order: the generated
// list names plugins that are not linked in, and an unknown one is fatal.
func serveDNS() {
	dnsserver.Directives = []string{
		"metadata", "reload", "bind", "errors", "log", "health", "ready", "prometheus",
		"loadbalance", "cache", "kubernetes", "forward", "loop",
	}
	coremain.Run()
}
