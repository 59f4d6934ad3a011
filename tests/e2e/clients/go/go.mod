module clients

go 1.22

require (
	github.com/cloudhut/connect-client v0.0.0-20240523140316-27c93e339567
	github.com/go-kafka/connect v0.9.0
	github.com/go-resty/resty/v2 v2.7.0
	golang.org/x/net v0.8.0
)
