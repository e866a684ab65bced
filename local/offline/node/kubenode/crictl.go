package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	runtimeSocket  = "unix:///run/containerd/containerd.sock"
	runtimeTimeout = 10 * time.Second
)

// crictl answers the two questions that kind asks of the node: which images there are (`images`), and what is known of
// one (`inspecti NAME`). The real crictl has many more, each with its weight.
func crictl() error {
	connection, err := grpc.NewClient(runtimeSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), runtimeTimeout)
	defer cancel()

	images := cri.NewImageServiceClient(connection)
	switch arguments := os.Args[1:]; {
	case len(arguments) > 0 && arguments[0] == "images":
		return listImages(ctx, images)
	case len(arguments) > 1 && arguments[0] == "inspecti":
		return inspectImage(ctx, images, arguments[len(arguments)-1])
	default:
		return errors.New("usage: crictl images | crictl inspecti NAME")
	}
}

func listImages(ctx context.Context, images cri.ImageServiceClient) error {
	answer, err := images.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	for _, image := range answer.Images {
		fmt.Println(image.Id, image.RepoTags, image.Size)
	}
	return nil
}

func inspectImage(ctx context.Context, images cri.ImageServiceClient, name string) error {
	answer, err := images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}})
	if err != nil {
		return err
	}
	if answer.Image == nil {
		return fmt.Errorf("no such image %q", name)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"status": map[string]any{"id": answer.Image.Id, "repoTags": answer.Image.RepoTags},
	})
}
