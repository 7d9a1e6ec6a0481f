// Writes what Go makes of pairs of endpoint and path, the way the Telemetry module and its exporter join them: the
// expected results for src/destination/table.rs. Run by `make url-table`; its output is kept, so that the tests need no Go.
package main

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Row is one pair and its result.
type Row struct {
	Endpoint string `json:"endpoint"`
	Path     string `json:"path"`
	// URL is what is posted to; empty where Go refuses one of the two.
	URL string `json:"url"`
	// Wire is the path in the request, Host the host in lower case without port and trailing dot.
	Wire string `json:"wire"`
	Host string `json:"host"`
}

var bases = []string{
	"https://abc12345.live.dynatrace.com", "HTTPS://ABC12345.Live.Dynatrace.COM", "http://abc12345.live.dynatrace.com.",
	"https://abc12345.live.dynatrace.com:443", "https://abc12345.live.dynatrace.com:", "https://user@dt.corp.example:9999",
	"https://us%20er:p%40ss@dt.corp.example", "https://u:p:q@h", "https://a@b@h", "https://u ser@h", "https://u[@h",
	"https://[::1]", "https://[::1]:9999", "https://[fe80::1%25eth0]:4317", "https://[fe80::1%25e%20th]", "https://[::1", "https://::1",
	"https://h:port", "https://h:443:443", "grpc://h:1:2", "https://[name]", "https://[1.2.3.4]", "https://[::ffff:1.2.3.4]", "https://a[b]", "https://h:-1", "https://h:99999999", "https://a b", "https://a%20b", "https://a%2eb", "https://a%C3%A4b",
	"https://ümlaut.example", "https://例え.example", "https://h\\x", "https://h<>\"", "https://h^", "https://h`", "https://h{}",
	"abc12345.live.dynatrace.com", "dynakube-telemetry-ingest.dynatrace:4317", "dynakube-telemetry-ingest.dynatrace.svc.cluster.local:4318",
	"//dt.corp.example", "///dt.corp.example", "/dt.corp.example", "", "*", ":", "://h", "1.2.3.4:4317", "1.2.3.4", "[::1]:4317", "grpc://h:1",
	"dns:///h:4317", "mailto:a@b", "https:", "https:/", "https://", "https:///", "https:h", "https:/h", "http+x.y-z://h", "ht tp://h", "1http://h", " https://h",
	"https://h\n", "\thttps://h", "https://h\x7f", "https://h\x00",
}

var tails = []string{
	"", "/", "/api", "/api/", "//api", "/api//", "/api/v2/otlp", "/api/v2/otlp/", "/e/6f2b-uuid/api", "/e/x/../y/api", "/./api", "/a%2Fb", "/a%2fb/", "/a%20b",
	"/a b", "/ä", "/%C3%A4", "/%FF", "/%zz", "/%", "/api?x=1", "/api?", "/api??", "/api?a?b", "/api#frag", "/api#fr ag", "/api#%zz", "/api?x=1#f", "?x", "#f",
	"/a;b,c", "/a:b", "/$&+=@", "/!'()*", "/[x]", "/{x}|^", "/..", "/../api", "/a/../../b", "/...", "/~a_b.c-d",
}

var paths = []string{
	"", "/", "//", ".", "..", "v2/otlp/v1/metrics", "/v2/otlp/v1/metrics/", "api/v2/otlp/v1/metrics", "v2//otlp/./v1/../v1/metrics", "../x", "../../x",
	"v2/otlp/v1/metrics?api-token=x", "v1?", "v1#f", "a%2Fb", "a%20b", "a b", "ä", "%zz", "https://other/x", "//other/x", "a:b", "*", "?x", "#f", "\n", "v1/%FF", "[x]",
}

// vectors are pairs as users of Dynatrace write them; the policy's verdicts on them are in tests/vectors.rs.
var vectors = [][2]string{
	{"https://abc12345.live.dynatrace.com/api", "v2/otlp/v1/metrics"},
	{"https://abc12345.live.dynatrace.com/api/", "/v2/otlp/v1/traces/"},
	{"https://abc12345.live.dynatrace.com/api/v2/otlp", ""},
	{"https://abc12345.live.dynatrace.com/api/v2/otlp", "v2/otlp/v1/metrics"},
	{"https://abc12345.live.dynatrace.com", "v2/otlp/v1/traces"},
	{"https://abc12345.live.dynatrace.com", "api/v2/otlp/v1/traces"},
	{"https://abc12345.live.dynatrace.com/api", "v2/otlp"},
	{"https://abc12345.apps.dynatrace.com/api", "v2/otlp/v1/traces"},
	{"https://abc12345.sprint.apps.dynatracelabs.com/api", "v2/otlp/v1/logs"},
	{"https://abc12345.live.dynatrace.com:443", ""},
	{"https://dt.corp.example/e/6f2b-uuid/api", "v2/otlp/v1/logs"},
	{"https://ag.corp.example:9999/e/abc12345/api/v2/otlp", ""},
	{"https://dynakube-activegate.dynatrace.svc/e/abc12345/api", "v2/otlp/v1/traces"},
	{"http://dynakube-telemetry-ingest.dynatrace:4318", ""},
	{"http://dynakube-telemetry-ingest.dynatrace.svc.cluster.local:4317", ""},
	{"dynakube-telemetry-ingest.dynatrace:4317", ""},
	{"http://dynakube-telemetry-ingest.dynatrace:4318", "v2/otlp/v1/traces"},
	{"http://dynakube-telemetry-ingest.dynatrace:4317", ""},
	{"https://ingest.otlp.other.example", ""},
}

func result(endpoint, suffix string) (*url.URL, error) {
	if suffix == "" {
		if !strings.HasSuffix(endpoint, "/") {
			endpoint += "/"
		}
		return url.Parse(endpoint + "v1/metrics")
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	p, err := url.Parse(suffix)
	if err != nil {
		return nil, err
	}
	u.Path = path.Join(u.Path, p.Path)
	u.RawQuery = p.RawQuery
	return u, nil
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	write := func(endpoint, suffix string) {
		row := Row{Endpoint: endpoint, Path: suffix}
		if u, err := result(endpoint, suffix); err == nil {
			row.URL = u.String()
			row.Wire = u.EscapedPath()
			if row.Wire != "" && row.Wire[0] != '/' && u.Host != "" {
				row.Wire = "/" + row.Wire
			}
			row.Host = strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
		}
		if err := encoder.Encode(row); err != nil {
			panic(err)
		}
	}
	for _, pair := range vectors {
		write(pair[0], pair[1])
	}
	for _, base := range bases {
		for _, suffix := range paths {
			write(base+"/api", suffix)
		}
		for _, tail := range []string{"", "/api/v2/otlp/?x#f"} {
			for _, suffix := range []string{"", "/", "v2/otlp/v1/metrics", "../x?q"} {
				write(base+tail, suffix)
			}
		}
	}
	for _, tail := range tails {
		for _, suffix := range paths {
			write("https://abc12345.live.dynatrace.com"+tail, suffix)
		}
		for _, suffix := range []string{"", "v2/otlp/v1/metrics", "../x?q"} {
			write("host.example"+tail, suffix)
		}
	}
	// What a fuzzer has found worth keeping: an endpoint, a newline, a path.
	for _, folder := range os.Args[1:] {
		files, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil {
			panic(err)
		}
		for _, file := range files {
			pair, err := os.ReadFile(file)
			if err != nil {
				panic(err)
			}
			endpoint, suffix, _ := strings.Cut(string(pair), "\n")
			// A host that is no UTF-8 names no service: the policy takes it for invalid.
			if u, err := url.Parse(endpoint); utf8.Valid(pair) && (err != nil || utf8.ValidString(u.Host)) {
				write(endpoint, suffix)
			}
		}
	}
}
