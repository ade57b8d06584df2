import type { Hardware, MemorySlot, Processor } from '../hardware-model.js';

const GIB = 1024 ** 3;

/** `dmidecode`: what the firmware says of system, board, processors and memory slots. */
export function dmidecodeText(machine: Hardware): string {
  const { vendor, product, serial, uuid, bios, board, cpus, memory } = machine;
  const structures: readonly (readonly [number, string, readonly string[]])[] = [
    [0, 'BIOS Information', [`Vendor: ${bios.vendor}`, `Version: ${bios.version}`, `Release Date: ${bios.date}`]],
    [
      1,
      'System Information',
      [
        ...[
          `Manufacturer: ${vendor}`,
          `Product Name: ${product}`,
          'Version: Not Specified',
          `Serial Number: ${serial}`,
        ],
        ...[`UUID: ${uuid}`, 'Wake-up Type: Power Switch', 'SKU Number: To be filled by O.E.M.', 'Family: '],
      ],
    ],
    [
      2,
      'Base Board Information',
      [
        ...[`Manufacturer: ${vendor}`, `Product Name: ${board.product}`, 'Version: A01'],
        ...[`Serial Number: ${board.serial}`, 'Asset Tag: Not Specified', 'Features:', '\tBoard is a hosting board'],
      ],
    ],
    ...cpus.map((cpu) => [4, 'Processor Information', processor(cpu)] as const),
    [16, 'Physical Memory Array', ['Location: System Board Or Motherboard', `Number Of Devices: ${memory.length}`]],
    ...memory.map((slot) => [17, 'Memory Device', memoryDevice(slot)] as const),
    [127, 'End Of Table', []],
  ];
  const told = structures.map(([type, title, lines], n) => {
    const handle = n.toString(16).toUpperCase().padStart(4, '0');
    return [`Handle 0x${handle}, DMI type ${type}, 48 bytes`, title, ...lines.map((line) => `\t${line}`), ''].join(
      '\n',
    );
  });
  return `# dmidecode 3.6\nGetting SMBIOS data from sysfs.\nSMBIOS 3.3.0 present.\n\n${told.join('\n')}\n`;
}

function processor({ socket, model, cores, threads, mhz }: Processor): string[] {
  return [
    ...[
      `Socket Designation: ${socket}`,
      'Type: Central Processor',
      'Family: Xeon',
      'Manufacturer: Intel(R) Corporation',
    ],
    ...['ID: 54 06 05 00 FF FB EB BF', 'Signature: Type 0, Family 6, Model 85, Stepping 4', 'Flags:'],
    ...['\tFPU (Floating-point unit on-chip)', '\tVME (Virtual mode extension)', `Version: ${model}`],
    ...['Voltage: 1.6 V', 'Max Speed: 4000 MHz', `Current Speed: ${mhz} MHz`, 'Status: Populated, Enabled'],
    ...['Serial Number: Not Specified', 'Asset Tag: UNKNOWN', 'Part Number: Not Specified'],
    ...[`Core Count: ${cores}`, `Core Enabled: ${cores}`, `Thread Count: ${threads}`],
  ];
}

function memoryDevice({ slot, module }: MemorySlot): string[] {
  const place = ['Form Factor: DIMM', 'Set: None', `Locator: ${slot}`, 'Bank Locator: Not Specified'];
  if (module === null) {
    return [
      ...['Total Width: Unknown', 'Data Width: Unknown', 'Size: No Module Installed', ...place, 'Type: Unknown'],
      ...['Speed: Unknown', 'Manufacturer: NO DIMM', 'Serial Number: NO DIMM', 'Part Number: NO DIMM'],
    ];
  }
  return [
    ...['Total Width: 72 bits', 'Data Width: 64 bits', `Size: ${module.sizeBytes / GIB} GB`, ...place],
    ...[`Type: ${module.type}`, 'Type Detail: Synchronous Registered (Buffered)', `Speed: ${module.mtPerSecond} MT/s`],
    ...[`Manufacturer: ${module.vendor}`, `Serial Number: ${module.serial}`, `Asset Tag: ${slot}_AssetTag`],
    ...[`Part Number: ${module.part}   `, 'Rank: 2', `Configured Memory Speed: ${module.mtPerSecond} MT/s`],
  ];
}
