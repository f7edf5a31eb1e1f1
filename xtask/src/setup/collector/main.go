// The OpenTelemetry Collector for tests: the receiver of OTLP, and an exporter that writes
// what arrives to a file, a line of JSON for each request. The exporter is told by the same
// key, and writes the same, as the file exporter of the contributed components, which
// Debian does not have.
package main

import (
	"context"
	"log"
	"os"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

// Config says where to write.
type Config struct {
	Path string `mapstructure:"path"`
}

// sink is a file that the exporters of all signals share.
type sink struct {
	component.StartFunc
	component.ShutdownFunc
	path string
}

// A whole line at once, whichever signal it is of.
var writing sync.Mutex

func open(config component.Config) *sink {
	return &sink{path: config.(*Config).Path}
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) write(line []byte, err error) error {
	if err != nil {
		return err
	}
	writing.Lock()
	defer writing.Unlock()
	file, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(line, '\n'))
	return err
}

func (s *sink) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	return s.write((&plog.JSONMarshaler{}).MarshalLogs(logs))
}

func (s *sink) ConsumeMetrics(_ context.Context, metrics pmetric.Metrics) error {
	return s.write((&pmetric.JSONMarshaler{}).MarshalMetrics(metrics))
}

func (s *sink) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	return s.write((&ptrace.JSONMarshaler{}).MarshalTraces(traces))
}

func fileFactory() exporter.Factory {
	const level = component.StabilityLevelDevelopment
	return exporter.NewFactory(
		component.MustNewType("file"),
		func() component.Config { return &Config{} },
		exporter.WithLogs(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Logs, error) {
			return open(config), nil
		}, level),
		exporter.WithMetrics(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Metrics, error) {
			return open(config), nil
		}, level),
		exporter.WithTraces(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Traces, error) {
			return open(config), nil
		}, level),
	)
}

func components() (otelcol.Factories, error) {
	receivers, err := otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory())
	if err != nil {
		return otelcol.Factories{}, err
	}
	exporters, err := otelcol.MakeFactoryMap[exporter.Factory](fileFactory())
	return otelcol.Factories{
		Receivers: receivers,
		Exporters: exporters,
		Telemetry: otelconftelemetry.NewFactory(),
	}, err
}

func main() {
	settings := otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "collector", Description: "OpenTelemetry Collector for tests", Version: "tests"},
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
				DefaultScheme:     "file",
			},
		},
	}
	if err := otelcol.NewCommand(settings).Execute(); err != nil {
		log.Fatal(err)
	}
}
