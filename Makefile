# The vocabulary of this tree; local/ holds what stands behind each word.
# One more: a target with a sentence after `##`, which `make help` shows.
.DEFAULT_GOAL := help
.PHONY: help up down dev demo status password logs logs-operator footprint backup restore test prove lint generate bench-order

kubectl := kubectl --kubeconfig .local/kubeconfig
export PATH := $(PATH):$(CURDIR)/.local/bin

help: ## list these
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## from a bare machine to a shop at http://localhost:8080 (PORT=… for another port, CLUSTER=… beside another cluster) and a paid order; again: change what changed
	@local/up

down: ## remove the cluster and stop what was started
	@local/down

dev: ## the shop on loopback, without a cluster, while you work on it: a service that you change starts again
	@local/dev

demo: ## fill the catalogue of the shop at http://localhost:8080 with some 200 products, and place and pay an order there
	@local/demo

status: ## what the stack says of itself, and its pods
	@$(kubectl) get ecommercestacks
	@$(kubectl) get pods --all-namespaces

password: ## the first admin: a line with the e-mail address, a line with the password; in a shell: set -- $(make password)
	@local/password

logs: ## follow the five services
	@$(kubectl) logs --follow --prefix --tail 20 --max-log-requests 20 --selector app.kubernetes.io/component=service

logs-operator: ## follow the operator
	@$(kubectl) logs --follow --tail 100 --namespace ecommerce-system deployment/ecommerce-stack-operator

footprint: ## the memory of each service and the operator, and the sum
	@local/footprint

# The cluster is this clone's, unless KUBECONFIG=… says so here; that of the environment does not count.
STACK = shop
NAMESPACE = default
of_cluster = $(if $(filter command,$(origin KUBECONFIG)),--kubeconfig "$(KUBECONFIG)")

backup: ## close a shop for half a minute and write it to TO=directory (STACK=… NAMESPACE=… KUBECONFIG=… another than make up's)
	@local/backup $(of_cluster) "$(STACK)" "$(NAMESPACE)" "$(or $(TO),$(error TO=… names the directory))"

restore: ## put the backup FROM=directory into a shop, which is made where there is none; OVER=1 over one that has orders
	@local/restore $(of_cluster) $(if $(OVER),--over) "$(STACK)" "$(NAMESPACE)" "$(or $(FROM),$(error FROM=… names the directory))"

bench-order: ## what one order costs: round trips, commits, time of processors; ARGUMENTS='--alone 200 --many 4000'
	@local/bench-order $(ARGUMENTS)

test: ## every lane; the last line counts
	@local/test

prove: ## the same claims with larger numbers, resumable; LANE=… one lane, FORCE=1 again, SUM=1 the table
	@local/prove $(if $(SUM),--sum,$(if $(FORCE),--force) $(LANE))

lint: ## the first lane alone: format, clippy, generated files, dependencies, API documents
	@local/test lint

generate: ## make the generated files again: the CRD, the API documents, checked SQL
	@local/generate
