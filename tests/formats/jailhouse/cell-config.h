/*
 * Layout of Jailhouse's cell configurations, revision 14. Written for the tests of rtvirt from facts that are public: names, widths and order of
 * fields, values of constants (the format strings of Jailhouse's own Python reader, pyjailhouse, give the same sizes). All structures are packed.
 */
#pragma once
#include <jailhouse/types.h>

#define PACKED __attribute__((packed))
#define ARRAY_SIZE(list) (sizeof(list) / sizeof((list)[0]))

#define JAILHOUSE_CONFIG_REVISION 14
#define JAILHOUSE_SYSTEM_SIGNATURE "JHSYS"
#define JAILHOUSE_CELL_DESC_SIGNATURE "JHCLL"

enum { JAILHOUSE_X86, JAILHOUSE_ARM, JAILHOUSE_ARM64 };
enum { JAILHOUSE_CELL_PASSIVE_COMMREG = 1, JAILHOUSE_CELL_TEST_DEVICE = 2, JAILHOUSE_CELL_AARCH32 = 4 };
enum { JAILHOUSE_SYS_VIRTUAL_DEBUG_CONSOLE = 1 };

enum {
    JAILHOUSE_MEM_READ = 1 << 0,
    JAILHOUSE_MEM_WRITE = 1 << 1,
    JAILHOUSE_MEM_EXECUTE = 1 << 2,
    JAILHOUSE_MEM_DMA = 1 << 3,
    JAILHOUSE_MEM_IO = 1 << 4,
    JAILHOUSE_MEM_COMM_REGION = 1 << 5,
    JAILHOUSE_MEM_LOADABLE = 1 << 6,
    JAILHOUSE_MEM_ROOTSHARED = 1 << 7,
    JAILHOUSE_MEM_IO_8 = 1 << 16,
    JAILHOUSE_MEM_IO_16 = 1 << 17,
    JAILHOUSE_MEM_IO_32 = 1 << 18,
    JAILHOUSE_MEM_IO_64 = 1 << 19,
};

enum { JAILHOUSE_PCI_TYPE_DEVICE = 1, JAILHOUSE_PCI_TYPE_BRIDGE, JAILHOUSE_PCI_TYPE_IVSHMEM };
enum {
    JAILHOUSE_SHMEM_PROTO_UNDEFINED = 0,
    JAILHOUSE_SHMEM_PROTO_VETH = 1,
    JAILHOUSE_SHMEM_PROTO_VIRTIO_FRONT = 0x8000,
    JAILHOUSE_SHMEM_PROTO_VIRTIO_BACK = 0xc000,
};
enum { JAILHOUSE_IOMMU_AMD = 1, JAILHOUSE_IOMMU_INTEL, JAILHOUSE_IOMMU_SMMUV3, JAILHOUSE_IOMMU_PVU, JAILHOUSE_IOMMU_ARM_MMU500 };
enum { JAILHOUSE_CON_TYPE_NONE, JAILHOUSE_CON_TYPE_EFIFB, JAILHOUSE_CON_TYPE_8250, JAILHOUSE_CON_TYPE_PL011, JAILHOUSE_CON_TYPE_XUARTPS };
enum { JAILHOUSE_CON_ACCESS_PIO = 0, JAILHOUSE_CON_ACCESS_MMIO = 1, JAILHOUSE_CON_REGDIST_1 = 0, JAILHOUSE_CON_REGDIST_4 = 2 };

struct jailhouse_console {
    __u64 address;
    __u32 size;
    __u16 type, flags;
    __u32 divider, gate_nr;
    __u64 clock_reg;
} PACKED;

struct jailhouse_memory {
    __u64 phys_start, virt_start, size, flags;
} PACKED;

struct jailhouse_cache {
    __u32 start, size;
    __u8 type, padding;
    __u16 flags;
} PACKED;

struct jailhouse_irqchip {
    __u64 address;
    __u32 id, pin_base, pin_bitmap[4];
} PACKED;

struct jailhouse_pio {
    __u16 base, length;
} PACKED;

struct jailhouse_pci_device {
    __u8 type, iommu;
    __u16 domain, bdf;
    __u32 bar_mask[6];
    __u16 caps_start, num_caps;
    __u8 num_msi_vectors, msi_64bits : 1, msi_maskable : 1;
    __u16 num_msix_vectors, msix_region_size;
    __u64 msix_address;
    __u32 shmem_regions_start;
    __u8 shmem_dev_id, shmem_peers;
    __u16 shmem_protocol;
} PACKED;

struct jailhouse_pci_capability {
    __u16 id, start, len, flags;
} PACKED;

union jailhouse_stream_id {
    __u32 id;
    struct {
        __u16 id, mask_out;
    } PACKED mmu500;
} PACKED;

struct jailhouse_iommu {
    __u32 type;
    __u64 base;
    __u32 size;
    union {
        struct {
            __u16 bdf;
            __u8 base_cap, msi_cap;
            __u32 features;
        } PACKED amd;
        struct {
            __u64 tlb_base;
            __u32 tlb_size;
        } PACKED tipvu;
    };
} PACKED;

struct jailhouse_cell_desc {
    char signature[5];
    __u8 architecture;
    __u16 revision;
    char name[32];
    __u32 id, flags;
    __u32 cpu_set_size, num_memory_regions, num_cache_regions, num_irqchips, num_pio_regions, num_pci_devices, num_pci_caps, num_stream_ids;
    __u32 vpci_irq_base;
    __u64 cpu_reset_address, msg_reply_timeout;
    struct jailhouse_console console;
} PACKED;

struct jailhouse_system {
    char signature[5];
    __u8 architecture;
    __u16 revision;
    __u32 flags;
    struct jailhouse_memory hypervisor_memory;
    struct jailhouse_console debug_console;
    struct {
        __u64 pci_mmconfig_base;
        __u8 pci_mmconfig_end_bus, pci_is_virtual;
        __u16 pci_domain;
        struct jailhouse_iommu iommu_units[8];
        union {
            struct {
                __u16 pm_timer_address;
                __u8 apic_mode, padding;
                __u32 vtd_interrupt_limit, tsc_khz, apic_khz;
            } PACKED x86;
            struct {
                __u8 maintenance_irq, gic_version, padding[2];
                __u64 gicd_base, gicc_base, gich_base, gicv_base, gicr_base;
            } PACKED arm;
        } PACKED;
    } PACKED platform_info;
    struct jailhouse_cell_desc root_cell;
} PACKED;

_Static_assert(sizeof(struct jailhouse_console) == 32 && sizeof(struct jailhouse_memory) == 32, "sizes that pyjailhouse reads");
_Static_assert(sizeof(struct jailhouse_iommu) == 28 && sizeof(struct jailhouse_irqchip) == 32, "sizes that pyjailhouse reads");
_Static_assert(sizeof(struct jailhouse_cell_desc) == 132 && sizeof(struct jailhouse_system) == 488, "sizes that pyjailhouse reads");
