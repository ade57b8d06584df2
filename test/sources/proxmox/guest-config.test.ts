import { describe, expect, it } from 'vitest';
import { guestConfig } from '../../../src/sources/proxmox/parse/guest-config.js';
import { networkDevice } from '../../../src/sources/proxmox/parse/network-device.js';
import { bodyData, describeRecordings, exchanges, mainSection, recordedData, recording } from '../recordings.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

describe('what a config says of its guest', () => {
  const qemu = (config: object) => guestConfig('QEMU', config);

  it('counts vcpus before sockets × cores, and one of each where nothing is written', () => {
    expect(qemu({})?.cpus).toBe(1);
    expect(qemu({ sockets: 2, cores: 4 })?.cpus).toBe(8);
    expect(qemu({ sockets: 2, cores: 4, vcpus: 3 })?.cpus).toBe(3);
    expect(guestConfig('LXC', {})?.cpus).toBeNull();
  });

  it('reads memory as number, as text and as current=', () => {
    const memory = [4096, '4096', 'current=4096'].map((value) => qemu({ memory: value })?.memoryBytes);
    expect(memory).toEqual([4 * GIB, 4 * GIB, 4 * GIB]);
    expect(qemu({})?.memoryBytes).toBe(512 * MIB);
  });

  it('knows the agent in each of its spellings', () => {
    const on = [1, '1', '1,fstrim_cloned_disks=1', 'enabled=1,type=virtio', 'type=isa,enabled=1'];
    expect(on.map((agent) => qemu({ agent })?.agent)).toEqual(on.map(() => true));
    const off = [undefined, 0, '0', 'enabled=0', 'enabled=0,type=virtio', 'type=virtio'];
    expect(off.map((agent) => qemu({ agent })?.agent)).toEqual(off.map(() => false));
    expect(guestConfig('LXC', { agent: 1 })?.agent).toBe(false);
  });

  it('sums disks, and leaves out what is no disk of the guest', () => {
    const disks = {
      scsi0: 'local-lvm:vm-100-disk-0,size=32G',
      virtio1: 'local:100/vm-100-disk-1.qcow2,discard=on,size=512M',
      ide2: 'local:iso/debian.iso,media=cdrom,size=600M',
      ide0: 'local-lvm:vm-100-cloudinit,media=cdrom,size=4M',
      sata1: 'local-lvm:cloudinit',
      efidisk0: 'local-lvm:vm-100-disk-2,efitype=4m,size=4M',
      tpmstate0: 'local-lvm:vm-100-disk-3,size=4M,version=v2.0',
      unused0: 'local-lvm:vm-100-disk-4',
    };
    expect(qemu(disks)?.diskBytes).toBe(32 * GIB + 512 * MIB);
    expect(qemu({ scsi0: '/dev/disk/by-id/ata-1' })?.diskBytes).toBeNull();
    const container = { rootfs: 'local-lvm:vm-1,size=8G', mp0: '/srv/data,mp=/data', mp1: 'a:b,mp=/b,size=1T' };
    expect(guestConfig('LXC', container)?.diskBytes).toBe(8 * GIB + 1024 * GIB);
  });

  it('writes the SMBIOS uuid in lower case', () => {
    const smbios1 = 'uuid=7B10D7AF-B932-4C66-B2C3-3996152EC465,manufacturer=Zm9v,base64=1';
    expect(qemu({ smbios1 })?.smbiosUuid).toBe('7b10d7af-b932-4c66-b2c3-3996152ec465');
    expect(qemu({ smbios1: 'manufacturer=x' })?.smbiosUuid).toBeNull();
  });

  it('joins netN with its ipconfigN, in the order of their numbers', () => {
    const config = {
      net10: 'virtio=BC:24:11:00:00:10,bridge=vmbr1',
      net2: 'virtio=BC:24:11:00:00:02,bridge=vmbr0,tag=20,link_down=1',
      ipconfig2: 'ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto',
      ipconfig9: 'ip=10.0.0.9/24',
    };
    expect(qemu(config)?.devices).toEqual([
      {
        key: 'net2',
        mac: 'bc:24:11:00:00:02',
        bridge: 'vmbr0',
        vlan: 20,
        linkDown: true,
        ip4: { mode: 'static', address: '10.0.0.5', prefixLength: 24 },
        ip6: { mode: 'auto' },
      },
      { key: 'net10', mac: 'bc:24:11:00:00:10', bridge: 'vmbr1', vlan: null, linkDown: false, ip4: null, ip6: null },
    ]);
  });

  it('is nothing where the answer is no object', () => {
    expect([null, [], 'x', 1].map((content) => guestConfig('QEMU', content))).toEqual(Array(4).fill(undefined));
  });
});

describeRecordings('recorded configs', () => {
  it('reads a VM of PVE 8 whole', () => {
    const config = bodyData(exchanges('go-proxmox/pve8x-virtual_machines.json', '/qemu/100/config')[0]);
    expect(guestConfig('QEMU', config)).toEqual({
      name: 'test-vm',
      cpus: 2,
      memoryBytes: 2 * GIB,
      diskBytes: 32 * GIB,
      agent: false,
      smbiosUuid: null,
      devices: [
        { key: 'net0', mac: 'bc:24:11:2e:c5:4a', bridge: 'vmbr0', vlan: null, linkDown: false, ip4: null, ip6: null },
      ],
    });
  });

  it('reads disks on every bus and a static address of PVE 9', () => {
    const config = guestConfig('QEMU', bodyData(exchanges('go-proxmox/pve9x-virtual_machines.json', '/101/config')[0]));
    expect(config?.diskBytes).toBe(128 * GIB);
    expect(config?.devices[0]?.ip4).toEqual({ mode: 'static', address: '192.168.1.10', prefixLength: 24 });
  });

  it('reads the far ends of the numbering, and a MAC of zeros as none', () => {
    const config = guestConfig('QEMU', bodyData(exchanges('go-proxmox/pve9x-virtual_machines.json', '/102/config')[0]));
    expect(config?.devices.map(({ key, mac, bridge }) => [key, mac, bridge])).toEqual([
      ['net0', null, 'vmbr0'],
      ['net15', '00:00:00:00:00:15', 'vmbr15'],
      ['net31', '00:00:00:00:00:31', 'vmbr31'],
    ]);
    expect(config?.diskBytes).toBe(64 * GIB);
  });

  it('reads containers of PVE 7, 8 and 9', () => {
    const config = (file: string, path: string) => guestConfig('LXC', bodyData(exchanges(file, path)[0]));
    expect(config('go-proxmox/pve7x-nodes.json', '/lxc/101/config')).toEqual({
      name: 'test-container',
      cpus: 2,
      memoryBytes: 4 * GIB,
      diskBytes: 30 * GIB,
      agent: false,
      smbiosUuid: null,
      devices: [
        {
          ...{ key: 'net0', mac: '5d:cf:bd:b2:c5:39', bridge: 'vmbr0', vlan: null, linkDown: false },
          ...{ ip4: { mode: 'dhcp' }, ip6: null },
        },
      ],
    });
    expect(config('go-proxmox/pve8x-containers.json', '/lxc/101/config')?.name).toBe('ct-test-2');
    const wide = config('go-proxmox/pve9x-containers.json', '/lxc/102/config');
    expect(wide?.devices.map(({ key, mac, bridge }) => [key, mac, bridge])).toEqual([
      ['net0', null, 'vmbr0'],
      ['net20', null, 'vmbr20'],
    ]);
    expect(wide?.diskBytes).toBe(8 * GIB);
  });

  it('reads a config written by hand', () => {
    const config = guestConfig('QEMU', recordedData('psproxmoxve/pve9_vm_config.json'));
    expect(config).toMatchObject({ name: null, cpus: 4, memoryBytes: 8 * GIB, diskBytes: 200 * GIB });
    expect(config?.devices[0]).toMatchObject({ mac: 'aa:bb:cc:dd:ee:ff', ip4: { mode: 'dhcp' } });
  });
});

describeRecordings("configs of Proxmox' own tests", () => {
  const confs = (file: string) => Object.entries(recording(file) as Record<string, string>);
  const files = ['pve-qemu-confs/cfg2cmd-configs.json', 'pve-qemu-confs/restore-and-snapshot-configs.json'];

  it.each(files)('reads every VM of %s as its text says', (file) => {
    for (const [name, text] of confs(file)) {
      const main = mainSection(text);
      const config = guestConfig('QEMU', main);
      expect(config?.name, name).toBe(main.name ?? null);
      const cpus = Number(main.vcpus ?? Number(main.sockets ?? 1) * Number(main.cores ?? 1));
      expect(config?.cpus, name).toBe(cpus);
      const memory = Number((main.memory ?? '512').replace('current=', ''));
      expect(config?.memoryBytes, name).toBe(memory * MIB);
      const nets = Object.keys(main).filter((key) => /^net\d+$/.test(key));
      expect(config?.devices.map(({ key }) => key).sort(), name).toEqual(nets.sort());
      expect(
        config?.devices.every(({ mac }) => mac !== null),
        name,
      ).toBe(true);
      const uuid = /uuid=([0-9a-f-]{36})/i.exec(main.smbios1 ?? '')?.[1];
      expect(config?.smbiosUuid, name).toBe(uuid?.toLowerCase() ?? null);
    }
  });

  it('counts sizes in K and leaves out the EFI disk', () => {
    const text = Object.fromEntries(confs('pve-qemu-confs/cfg2cmd-configs.json'))['aarch64/simple-arm.conf'] ?? '';
    expect(guestConfig('QEMU', mainSection(text))).toMatchObject({
      name: 'simple',
      cpus: 3,
      memoryBytes: 768 * MIB,
      diskBytes: 104858 * 1024,
      smbiosUuid: '7b10d7af-b932-4c66-b2c3-3996152ec465',
    });
  });

  it('knows which VMs have an agent', () => {
    const lines = (recording('pve-qemu-confs/unique-net-ipconfig-agent-lines.json') as { qemu: string[] }).qemu;
    const agents = lines.filter((line) => line.startsWith('agent:')).map((line) => mainSection(line));
    expect(agents.map((main) => guestConfig('QEMU', main)?.agent)).toEqual([true, true, true]);
    const nets = lines.filter((line) => line.startsWith('net0:')).map((line) => mainSection(line));
    const bridges = nets.map((main) => guestConfig('QEMU', main)?.devices[0]?.bridge);
    expect(new Set(bridges)).toEqual(new Set(['somebr0', 'vmbr0', 'vxlan_bridge']));
  });

  it('reads every container, whatever the order of the keys of its net0', () => {
    const all = confs('pve-lxc-confs/snapshot-input-configs.json');
    expect(all.length).toBeGreaterThan(20);
    for (const [name, text] of all) {
      const main = mainSection(text);
      const config = guestConfig('LXC', main);
      expect(config?.name, name).toBe(main.hostname ?? null);
      expect(config?.memoryBytes, name).toBe(Number(main.memory ?? 512) * MIB);
      const expected = main.net0 === undefined ? [] : ['12:34:56:78:90:12'];
      expect(
        config?.devices.map(({ mac }) => mac),
        name,
      ).toEqual(expected);
      if (main.net0 !== undefined) expect(config?.devices[0]).toMatchObject({ ip4: { mode: 'dhcp' }, bridge: 'vmbr0' });
    }
  });
});

describeRecordings('recorded network strings', () => {
  type Strings = Record<string, { net: string[]; ipconfig: string[] }>;
  const strings = () => Object.values(recording('pve-net-strings/net_and_ipconfig_strings.json') as Strings);

  it('finds bridge, MAC, tag and link state in each, by plain search in the text', () => {
    const nets = strings().flatMap(({ net }) => net);
    expect(nets.length).toBe(37);
    for (const net of nets) {
      const device = networkDevice('net0', net, undefined);
      expect(device.bridge, net).toBe(/bridge=([^,]+)/.exec(net)?.[1] ?? null);
      expect(device.mac, net).toBe(
        /=([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})(?:,|$)/.exec(net)?.[1]?.toLowerCase() ?? null,
      );
      expect(device.vlan, net).toBe(Number(/(?:^|,)tag=(\d+)/.exec(net)?.[1] ?? 0) || null);
      expect(device.linkDown, net).toBe(net.includes('link_down=1'));
    }
  });

  it('reads every ipconfig', () => {
    const read = (text: string) => {
      const { ip4, ip6 } = networkDevice('net0', 'virtio', text);
      const words = [ip4, ip6].map((ip) =>
        ip?.mode === 'static' ? `${ip.address}/${ip.prefixLength}` : (ip?.mode ?? '-'),
      );
      return `${text} → ${words.join(' ')}`;
    };
    expect(strings().flatMap(({ ipconfig }) => ipconfig.map(read))).toEqual([
      'gw=192.168.56.1,ip6=2001:0db8:abcd::/48,gw6=2001:0db8:abcd::1 → - 2001:db8:abcd::/48',
      'ip6=2001:db8::1/64 → - 2001:db8::1/64',
      'ip6=auto → - auto',
      'ip6=dhcp → - dhcp',
      'ip6=manual → - manual',
      'ip=10.20.4.7/22 → 10.20.4.7/22 -',
      'ip=192.168.0.10/24 → 192.168.0.10/24 -',
      'ip=192.168.1.10/24,gw=192.168.56.1,ip6=2001:0db8:abcd::/48,gw6=2001:0db8:abcd::1 → 192.168.1.10/24 2001:db8:abcd::/48',
      'ip=192.168.56.30/24,gw=192.168.1.1,ip6=2001:0db8:abcd::/48,gw6=2001:0db8:abcd::1 → 192.168.56.30/24 2001:db8:abcd::/48',
      'ip=192.168.56.30/24,gw=192.168.56.1,gw6=2001:0db8:abcd::1 → 192.168.56.30/24 -',
      'ip=192.168.56.30/24,gw=192.168.56.1,ip6=2001:0db8:85a3::/48,gw6=2001:0db8:abcd::1 → 192.168.56.30/24 2001:db8:85a3::/48',
      'ip=192.168.56.30/24,gw=192.168.56.1,ip6=2001:0db8:abcd::/48 → 192.168.56.30/24 2001:db8:abcd::/48',
      'ip=192.168.56.30/24,gw=192.168.56.1,ip6=2001:0db8:abcd::/48,gw6=2001:0db8:85a3::1 → 192.168.56.30/24 2001:db8:abcd::/48',
      'ip=192.168.56.30/24,gw=192.168.56.1,ip6=auto → 192.168.56.30/24 auto',
      'ip=192.168.56.30/24,gw=192.168.56.1,ip6=dhcp → 192.168.56.30/24 dhcp',
      'ip=192.168.56.30/24,ip6=2001:0db8:abcd::/48,gw6=2001:0db8:abcd::1 → 192.168.56.30/24 2001:db8:abcd::/48',
      'ip=dhcp → dhcp -',
      'ip=dhcp,ip6=2001:0db8:abcd::/48,gw6=2001:0db8:abcd::1 → dhcp 2001:db8:abcd::/48',
      'ip=dhcp,ip6=dhcp → dhcp dhcp',
      'ip=manual → manual -',
      'ip6=fd00::100/64,gw6=fd00::1 → - fd00::100/64',
      'ip=192.168.1.100/24,gw=192.168.1.1 → 192.168.1.100/24 -',
    ]);
  });
});
