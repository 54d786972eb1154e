package caraway

import "github.com/caraway-tasks/caraway/clients/go/carawaypb"

const mostHeldBytes = 32 << 20

// credit counts what came on one stream and says what may come. Allowances never shrink: to take less, nothing is granted.
type credit struct {
	leases, bytes               int64 // that came
	leaseAllowance, byteAllowed int64
}

func (c *credit) receive(leases, bytes int) {
	c.leases += int64(leases)
	c.bytes += int64(bytes)
}

// grow grants what is missing to the wanted number of leases, and tells whether that is worth a message.
func (c *credit) grow(wanted, held, heldBytes int) bool {
	leaseRoom := int64(wanted-held) - (c.leaseAllowance - c.leases)
	byteRoom := int64(mostHeldBytes-heldBytes) - (c.byteAllowed - c.bytes)
	// A grant for every ended task would double the messages: a quarter of the whole is soon enough.
	if leaseRoom*4 < int64(wanted) && byteRoom*4 < mostHeldBytes {
		return false
	}
	if leaseRoom <= 0 && byteRoom*4 < mostHeldBytes {
		return false
	}
	c.leaseAllowance += max(0, leaseRoom)
	c.byteAllowed += max(0, byteRoom)
	return true
}

func (c *credit) message() *carawaypb.LeaseTasksRequest {
	return &carawaypb.LeaseTasksRequest{Message: &carawaypb.LeaseTasksRequest_Credit{
		Credit: &carawaypb.Credit{LeaseAllowance: c.leaseAllowance, ByteAllowance: c.byteAllowed},
	}}
}
