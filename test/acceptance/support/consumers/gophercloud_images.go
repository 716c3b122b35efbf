// Checks of gophercloud's imageservice/v2. Prints JSON: the name of each check, and null or how it failed.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/imagedata"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/imageimport"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/images"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/members"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/tasks"
)

type cloud struct {
	client  *gophercloud.ServiceClient
	project string
}

var admin, demo, alt cloud
var content []byte

// Ends a check.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func expect(what string, found, wanted any) {
	if fmt.Sprint(found) != fmt.Sprint(wanted) {
		panic(fmt.Sprintf("%s is %v, not %v", what, found, wanted))
	}
}

func done(err error) { must(0, err) }

func connect(settings map[string]string) cloud {
	provider := must(openstack.AuthenticatedClient(gophercloud.AuthOptions{
		IdentityEndpoint: settings["OS_AUTH_URL"],
		Username:         settings["OS_USERNAME"],
		Password:         settings["OS_PASSWORD"],
		DomainName:       settings["OS_USER_DOMAIN_NAME"],
		TenantName:       settings["OS_PROJECT_NAME"],
	}))
	client := must(openstack.NewImageServiceV2(provider, gophercloud.EndpointOpts{Region: settings["OS_REGION_NAME"]}))
	made := create(client, images.CreateOpts{Name: "whose project"})
	done(images.Delete(client, made.ID).ExtractErr())
	return cloud{client, made.Owner}
}

func create(client *gophercloud.ServiceClient, opts images.CreateOpts) *images.Image {
	return must(images.Create(client, opts).Extract())
}

func raw(name string) images.CreateOpts {
	return images.CreateOpts{Name: name, DiskFormat: "raw", ContainerFormat: "bare"}
}

func uploaded(name string) *images.Image {
	image := create(demo.client, raw(name))
	done(imagedata.Upload(demo.client, image.ID, bytes.NewReader(content)).ExtractErr())
	return must(images.Get(demo.client, image.ID).Extract())
}

// The image once it has the status; the limit ends what hangs.
func until(id string, status images.ImageStatus) *images.Image {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		image := must(images.Get(demo.client, id).Extract())
		if image.Status == status {
			return image
		}
		if time.Now().After(deadline) {
			panic(fmt.Sprintf("still %s", image.Status))
		}
	}
}

var checks = []struct {
	name string
	run  func()
}{
	{"create: attributes, tags and properties come back", func() {
		protected, visibility := true, images.ImageVisibilityPrivate
		opts := raw("whole")
		opts.Tags, opts.MinDisk, opts.MinRAM, opts.Protected, opts.Visibility = []string{"blue"}, 1, 64, &protected, &visibility
		opts.Properties = map[string]string{"hw_disk_bus": "scsi"}
		image := create(demo.client, opts)
		expect("status", image.Status, images.ImageStatusQueued)
		expect("tags", image.Tags, []string{"blue"})
		expect("protected", image.Protected, true)
		expect("min_ram", image.MinRAMMegabytes, 64)
		expect("hw_disk_bus", image.Properties["hw_disk_bus"], "scsi")
	}},
	{"list: filters, in pages", func() {
		for n := 0; n < 5; n++ {
			opts := raw(fmt.Sprintf("page %d", n))
			opts.Tags = []string{"paged"}
			create(demo.client, opts)
		}
		page := must(images.List(demo.client, images.ListOpts{Tags: []string{"paged"}, Limit: 2, Sort: "name:asc"}).AllPages())
		found := must(images.ExtractImages(page))
		expect("images", len(found), 5)
		expect("the first", found[0].Name, "page 0")
		future := &images.ImageDateQuery{Date: time.Now().Add(time.Hour), Filter: images.FilterGT}
		late := must(images.List(demo.client, images.ListOpts{CreatedAtQuery: future}).AllPages())
		expect("images of the future", len(must(images.ExtractImages(late))), 0)
	}},
	{"update: every patch that it has", func() {
		image := create(demo.client, raw("before"))
		changed := must(images.Update(demo.client, image.ID, images.UpdateOpts{
			images.ReplaceImageName{NewName: "after"},
			images.ReplaceImageTags{NewTags: []string{"green"}},
			images.ReplaceImageMinDisk{NewMinDisk: 3},
			images.ReplaceImageMinRam{NewMinRam: 128},
			images.UpdateVisibility{Visibility: images.ImageVisibilityCommunity},
			images.UpdateImageProperty{Op: images.AddOp, Name: "os_distro", Value: "debian"},
			images.UpdateImageProperty{Op: images.ReplaceOp, Name: "os_distro", Value: "fedora"},
			images.UpdateImageProperty{Op: images.AddOp, Name: "passing", Value: "x"},
			images.UpdateImageProperty{Op: images.RemoveOp, Name: "passing"},
		}).Extract())
		expect("name", changed.Name, "after")
		expect("tags", changed.Tags, []string{"green"})
		expect("min_disk", changed.MinDiskGigabytes, 3)
		expect("min_ram", changed.MinRAMMegabytes, 128)
		expect("visibility", changed.Visibility, images.ImageVisibilityCommunity)
		expect("os_distro", changed.Properties["os_distro"], "fedora")
		expect("passing", changed.Properties["passing"], nil)
	}},
	{"upload, and download of the same bytes", func() {
		image := uploaded("of bytes")
		expect("status", image.Status, images.ImageStatusActive)
		expect("size", image.SizeBytes, len(content))
		reader := must(imagedata.Download(demo.client, image.ID).Extract())
		expect("the same", bytes.Equal(must(io.ReadAll(reader)), content), true)
	}},
	{"stage and import by glance-direct", func() {
		image := create(demo.client, raw("staged"))
		done(imagedata.Stage(demo.client, image.ID, bytes.NewReader(content)).ExtractErr())
		opts := imageimport.CreateOpts{Name: imageimport.GlanceDirectMethod}
		done(imageimport.Create(demo.client, image.ID, opts).ExtractErr())
		expect("size", until(image.ID, images.ImageStatusActive).SizeBytes, len(content))
	}},
	{"import by web-download", func() {
		web := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { answer.Write(content) }))
		defer web.Close()
		image := create(demo.client, raw("from the web"))
		opts := imageimport.CreateOpts{Name: imageimport.WebDownloadMethod, URI: web.URL + "/disk.raw"}
		done(imageimport.Create(demo.client, image.ID, opts).ExtractErr())
		expect("size", until(image.ID, images.ImageStatusActive).SizeBytes, len(content))
	}},
	{"import methods are listed", func() {
		info := must(imageimport.Get(demo.client).Extract())
		expect("methods", strings.Contains(fmt.Sprint(info.ImportMethods.Value), "glance-direct"), true)
	}},
	{"members: share, accept, list, show, take back", func() {
		image := uploaded("shared")
		visibility := images.UpdateVisibility{Visibility: images.ImageVisibilityShared}
		must(images.Update(demo.client, image.ID, images.UpdateOpts{visibility}).Extract())
		member := must(members.Create(demo.client, image.ID, alt.project).Extract())
		expect("status", member.Status, "pending")
		accepted := must(members.Update(alt.client, image.ID, alt.project, members.UpdateOpts{Status: "accepted"}).Extract())
		expect("status", accepted.Status, "accepted")
		all := must(members.ExtractMembers(must(members.List(demo.client, image.ID).AllPages())))
		expect("members", len(all), 1)
		expect("member", must(members.Get(demo.client, image.ID, alt.project).Extract()).MemberID, alt.project)
		done(members.Delete(demo.client, image.ID, alt.project).ExtractErr())
		if _, err := images.Get(alt.client, image.ID).Extract(); err == nil {
			panic("is still seen")
		}
	}},
	{"tasks: create, show until it ends, list", func() {
		web := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { answer.Write(content) }))
		defer web.Close()
		made := must(tasks.Create(admin.client, tasks.CreateOpts{Type: "import", Input: map[string]interface{}{
			"import_from": web.URL + "/disk.raw", "import_from_format": "raw",
			"image_properties": map[string]interface{}{"name": "of a task", "disk_format": "raw", "container_format": "bare"},
		}}).Extract())
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
			task := must(tasks.Get(admin.client, made.ID).Extract())
			if task.Status == string(tasks.TaskStatusSuccess) {
				break
			}
			if task.Status == string(tasks.TaskStatusFailure) || time.Now().After(deadline) {
				panic(task.Status + ": " + task.Message)
			}
		}
		page := must(tasks.List(admin.client, tasks.ListOpts{Status: tasks.TaskStatusSuccess, Limit: 2}).AllPages())
		expect("is listed", strings.Contains(fmt.Sprint(must(tasks.ExtractTasks(page))), made.ID), true)
	}},
	{"refusals are errors of its kinds", func() {
		image := create(demo.client, raw("mine"))
		_, unseen := images.Get(alt.client, image.ID).Extract()
		if _, is := unseen.(gophercloud.ErrDefault404); !is {
			panic(fmt.Sprintf("%T", unseen))
		}
		_, twice := images.Create(demo.client, images.CreateOpts{ID: image.ID, Name: "twice"}).Extract()
		if _, is := twice.(gophercloud.ErrDefault409); !is {
			panic(fmt.Sprintf("%T", twice))
		}
		public := images.UpdateVisibility{Visibility: images.ImageVisibilityPublic}
		_, forbidden := images.Update(demo.client, image.ID, images.UpdateOpts{public}).Extract()
		if _, is := forbidden.(gophercloud.ErrDefault403); !is {
			panic(fmt.Sprintf("%T", forbidden))
		}
	}},
	{"delete: once", func() {
		image := uploaded("to go")
		done(images.Delete(demo.client, image.ID).ExtractErr())
		if _, is := images.Delete(demo.client, image.ID).ExtractErr().(gophercloud.ErrDefault404); !is {
			panic("was there twice")
		}
	}},
}

func attempt(run func()) (failure any) {
	defer func() {
		if cause := recover(); cause != nil {
			failure = fmt.Sprint(cause)
		}
	}()
	run()
	return nil
}

func main() {
	var accounts map[string]map[string]string
	done(json.Unmarshal([]byte(os.Getenv("ACCOUNTS")), &accounts))
	admin, demo, alt = connect(accounts["admin"]), connect(accounts["demo"]), connect(accounts["alt"])
	content = must(os.ReadFile(os.Getenv("FILE")))
	// In their order, which a map does not keep.
	results := []string{}
	for _, check := range checks {
		failure := must(json.Marshal(attempt(check.run)))
		results = append(results, fmt.Sprintf("%s: %s", must(json.Marshal(check.name)), failure))
	}
	fmt.Printf("{%s}", strings.Join(results, ", "))
}
